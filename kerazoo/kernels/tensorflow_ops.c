/* TensorFlow operations around the kernels. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>

#include "kernels.h"
#include "tensorflow.h"

static void check_range(struct call *call, const int32_t *indices, long count, long row, long limit) {
    for (long i = 0; i < count; i++)
        if (indices[i] < 0 || indices[i] >= limit) {
            char text[128];
            if (row) snprintf(text, sizeof text, "indices[%ld,%ld] = %d is not in [0, %ld)", i / row, i % row, indices[i], limit);
            else snprintf(text, sizeof text, "indices[%ld] = %d is not in [0, %ld)", i, indices[i], limit);
            fail(call, TF_INVALID_ARGUMENT, text);
            return;
        }
}

struct options { bool backwards, sequences; };

static void *read_options(TF_OpKernelConstruction *construction) {
    static struct options every[] = {{false, false}, {false, true}, {true, false}, {true, true}};
    TF_Status *status = TF_NewStatus();
    unsigned char backwards = 0, sequences = 0;
    TF_OpKernelConstruction_GetAttrBool(construction, "backwards", &backwards, status);
    TF_OpKernelConstruction_GetAttrBool(construction, "sequences", &sequences, status);
    TF_DeleteStatus(status);
    return every + 2 * !!backwards + !!sequences;
}

/* table (V, D), tokens, kernel, recurrent, bias, h, c; or inputs (B, T, D), an empty tokens, ...: in both of the LSTM's
 * operations. An empty bias is none. */
static struct kz_lstm read_lstm(struct call *call, const struct options *options) {
    struct kz_lstm l = {.backwards = options->backwards};
    bool lookup = input(call, 0) && TF_NumDims(input(call, 0)) == 2;
    if (lookup) {
        l.batch = size(call, 1, 2, 0), l.steps = size(call, 1, 2, 1), l.rows = size(call, 0, 2, 0);
        l.inputs_width = size(call, 0, 2, 1);
        l.table = data(call, 0), l.tokens = data(call, 1);
        if (good(call)) check_range(call, l.tokens, l.batch * l.steps, l.steps, l.rows);
    } else {
        l.batch = size(call, 0, 3, 0), l.steps = size(call, 0, 3, 1), l.inputs_width = size(call, 0, 3, 2);
        l.inputs = data(call, 0);
    }
    l.units = size(call, 3, 2, 0);
    want(call, 2, l.inputs_width * 4 * l.units), want(call, 3, l.units * 4 * l.units);
    bool bias = input(call, 4) && TF_TensorElementCount(input(call, 4)) > 0;
    if (bias) want(call, 4, 4 * l.units);
    want(call, 5, l.batch * l.units), want(call, 6, l.batch * l.units);
    if (l.batch < 0 || l.steps < 1 || l.units < 1 || l.inputs_width < 1 || l.batch * l.steps > INT32_MAX / 8)
        fail(call, TF_INVALID_ARGUMENT, "the LSTM takes a batch, steps, inputs and units, one at least of each");
    l.kernel = data(call, 2), l.recurrent = data(call, 3), l.bias = bias ? data(call, 4) : NULL;
    l.h = data(call, 5), l.c = data(call, 6);
    return l;
}

static void lstm(void *options, TF_OpKernelContext *context) {
    struct call call = begin(context);
    struct kz_lstm l = read_lstm(&call, options);
    if (good(&call)) {
        long B = l.batch, T = l.steps, H = l.units, P = kz_padded(H), S = T * B;
        bool sequences = ((struct options *)options)->sequences;
        float *outputs = output(&call, 0, TF_FLOAT, SHAPE(sequences ? B : 0, T, H));
        float *h = output(&call, 1, TF_FLOAT, SHAPE(B, H)), *c = output(&call, 2, TF_FLOAT, SHAPE(B, H));
        l.gates = output(&call, 3, TF_FLOAT, SHAPE(S, 4 * P));
        l.cells = output(&call, 4, TF_FLOAT, SHAPE(S, P)), l.hidden = output(&call, 5, TF_FLOAT, SHAPE(S, P));
        l.lookup = output(&call, 6, TF_INT32, SHAPE(l.tokens && S ? 2 * S + 1 : 0));
        if (!l.tokens) l.lookup = NULL;
        if (good(&call) && S && kz_lstm_forward(&l, sequences ? outputs : NULL, h, c))
            fail(&call, TF_RESOURCE_EXHAUSTED, "memory is short");
    }
    end(&call);
}

/* ... gates, cells, hidden, lookup, d_outputs (or empty), d_h, d_c */
static void lstm_gradient(void *options, TF_OpKernelContext *context) {
    struct call call = begin(context);
    struct kz_lstm l = read_lstm(&call, options);
    long B = l.batch, T = l.steps, D = l.inputs_width, H = l.units, P = kz_padded(H), S = T * B;
    float *d_gates = good(&call) ? replace(&call, 7, 6, SHAPE(S, 4 * P)) : NULL;
    want(&call, 7, S * 4 * P), want(&call, 8, S * P), want(&call, 9, S * P), want(&call, 10, l.tokens && S ? 2 * S + 1 : 0);
    bool sequences = ((struct options *)options)->sequences;
    if (sequences) want(&call, 11, S * H);
    want(&call, 12, B * H), want(&call, 13, B * H);
    l.gates = data(&call, 7), l.cells = data(&call, 8), l.hidden = data(&call, 9);
    l.lookup = l.tokens ? data(&call, 10) : NULL;
    struct kz_lstm_gradients d = {.d_outputs = sequences ? data(&call, 11) : NULL};
    d.d_last_h = data(&call, 12), d.d_last_c = data(&call, 13);
    d.d_inputs = output(&call, 0, TF_FLOAT, SHAPE(B, T, D));
    d.d_kernel = output(&call, 1, TF_FLOAT, SHAPE(D, 4 * H)), d.d_recurrent = output(&call, 2, TF_FLOAT, SHAPE(H, 4 * H));
    float *d_bias = output(&call, 3, TF_FLOAT, SHAPE(l.bias ? 4 * H : 0));
    d.d_bias = l.bias ? d_bias : NULL;
    d.d_gates = d_gates;
    d.d_h = output(&call, 4, TF_FLOAT, SHAPE(B, H)), d.d_c = output(&call, 5, TF_FLOAT, SHAPE(B, H));
    if (good(&call) && !S) { /* no examples, no gradient */
        memset(d.d_kernel, 0, D * 4 * H * sizeof(float)), memset(d.d_recurrent, 0, H * 4 * H * sizeof(float));
        if (d.d_bias) memset(d.d_bias, 0, 4 * H * sizeof(float));
    }
    if (good(&call) && S && kz_lstm_backward(&l, &d)) fail(&call, TF_RESOURCE_EXHAUSTED, "memory is short");
    end(&call);
}

/* After `scalars` numbers: N variables; N of each of `kept` states; N gradients; and, where sparse (then N is 1), the
 * gradient's indices. Results: N variables and N of each state. */
static struct kz_variable *read_variables(struct call *call, int scalars, int kept, bool sparse, int *count) {
    int n = *count = (call->count - scalars - sparse) / (2 + kept);
    if (call->count != scalars + sparse + n * (2 + kept) || (sparse && n != 1))
        fail(call, TF_INVALID_ARGUMENT, "the optimizer wants another number of states for these options");
    struct kz_variable *all = good(call) ? calloc(n, sizeof *all) : NULL;
    if (!all) fail(call, TF_RESOURCE_EXHAUSTED, "memory is short");
    for (int i = 0; i < n && good(call); i++) {
        struct kz_variable *v = all + i;
        int at = scalars + i, gradient = at + (1 + kept) * n;
        TF_Tensor *value = input(call, at);
        if (!value) break;
        int64_t shape[8];
        int rank = TF_NumDims(value);
        if (rank > 8) fail(call, TF_INVALID_ARGUMENT, "a variable has more than 8 dimensions");
        for (int k = 0; k < rank && k < 8; k++) shape[k] = TF_Dim(value, k);
        v->count = TF_TensorElementCount(value);
        float *states[2] = {NULL, NULL}, *new_states[2] = {NULL, NULL};
        for (int k = 0; k < kept; k++) {
            want(call, at + (1 + k) * n, v->count);
            states[k] = data(call, at + (1 + k) * n);
            new_states[k] = output(call, (1 + k) * n + i, TF_FLOAT, rank, shape);
        }
        v->value = TF_TensorData(value), v->new_value = output(call, i, TF_FLOAT, rank, shape);
        v->first = states[0], v->second = states[1], v->new_first = new_states[0], v->new_second = new_states[1];
        v->gradient = data(call, gradient);
        if (sparse) {
            v->rows = rank ? shape[0] : 0, v->width = v->rows ? v->count / v->rows : 0;
            v->indices = data(call, gradient + 1);
            if (good(call)) v->positions = TF_TensorElementCount(input(call, gradient + 1));
            want(call, gradient, v->positions * v->width);
            if (good(call)) check_range(call, v->indices, v->positions, 0, v->rows);
        } else {
            want(call, gradient, v->count);
        }
    }
    return all;
}

/* What each optimizer's operations begin with, and how many states it keeps of a variable. */
static void update(struct call call, const char *kind, bool sparse) {
    struct kz_adam adam = {0};
    struct kz_rmsprop rmsprop = {0};
    struct kz_sgd sgd = {0};
    int count, done = 0;
    struct kz_variable *variables = NULL;
    if (*kind == 'a') {
        adam = (struct kz_adam){scalar(&call, 0), scalar(&call, 1), scalar(&call, 2), scalar(&call, 3)};
        variables = read_variables(&call, 4, 2, sparse, &count);
        if (good(&call)) done = kz_adam(variables, count, &adam);
    } else if (*kind == 'r') {
        rmsprop.rate = scalar(&call, 0), rmsprop.rho = scalar(&call, 1), rmsprop.rest = scalar(&call, 2);
        rmsprop.momentum = scalar(&call, 3), rmsprop.epsilon = scalar(&call, 4);
        variables = read_variables(&call, 5, rmsprop.momentum > 0 ? 2 : 1, sparse, &count);
        if (good(&call)) done = kz_rmsprop(variables, count, &rmsprop);
    } else {
        sgd = (struct kz_sgd){scalar(&call, 0), scalar(&call, 1), scalar(&call, 2) != 0};
        variables = read_variables(&call, 3, sgd.momentum != 0, sparse, &count);
        if (good(&call)) done = kz_sgd(variables, count, &sgd);
    }
    if (done) fail(&call, TF_RESOURCE_EXHAUSTED, "memory is short");
    free(variables);
    end(&call);
}
static void adam_dense(void *self, TF_OpKernelContext *context) { (void)self, update(begin(context), "adam", false); }
static void adam_sparse(void *self, TF_OpKernelContext *context) { (void)self, update(begin(context), "adam", true); }
static void rmsprop_dense(void *self, TF_OpKernelContext *context) { (void)self, update(begin(context), "rmsprop", false); }
static void rmsprop_sparse(void *self, TF_OpKernelContext *context) { (void)self, update(begin(context), "rmsprop", true); }
static void sgd_dense(void *self, TF_OpKernelContext *context) { (void)self, update(begin(context), "sgd", false); }
static void sgd_sparse(void *self, TF_OpKernelContext *context) { (void)self, update(begin(context), "sgd", true); }

static void unknown_shapes(TF_ShapeInferenceContext *context, TF_Status *status) {
    TF_ShapeInferenceContextSetUnknownShape(context, status);
}

/* Why there are no operations, or "". */
static char trouble[256] = "TensorFlow was not loaded before the kernels";
KZ_EXPORT const char *kz_tensorflow_trouble(void) { return trouble; }

/* Registers an operation and its kernel; `create` may be NULL. `signature` has words: inputs, "->", outputs, "|", attributes. */
static void define(const char *name, const char *const *signature, create_function *create, compute_function *compute) {
    if (*trouble) return;
    TF_Status *status = TF_NewStatus();
    TF_OpDefinitionBuilder *builder = TF_NewOpDefinitionBuilder(name);
    int part = 0;
    for (; *signature; signature++) {
        if (!strcmp(*signature, "->") || !strcmp(*signature, "|")) part++;
        else if (part == 0) TF_OpDefinitionBuilderAddInput(builder, *signature);
        else if (part == 1) TF_OpDefinitionBuilderAddOutput(builder, *signature);
        else TF_OpDefinitionBuilderAddAttr(builder, *signature);
    }
    TF_OpDefinitionBuilderSetShapeInferenceFunction(builder, unknown_shapes);
    TF_RegisterOpDefinition(builder, status);
    if (TF_GetCode(status) == TF_OK)
        TF_RegisterKernelBuilder(name, TF_NewKernelBuilder(name, "CPU", create, compute, NULL), status);
    if (TF_GetCode(status) != TF_OK) snprintf(trouble, sizeof trouble, "%s: %s", name, TF_Message(status));
    TF_DeleteStatus(status);
}
#define WORDS(...) (const char *const[]){__VA_ARGS__, NULL}
#define LSTM_INPUTS "source: float", "tokens: int32", "kernel: float", "recurrent: float", "bias: float", "h: float", "c: float"

__attribute__((constructor)) static void loaded(void) {
    void *library = dlopen("libtensorflow_framework.so.2", RTLD_LAZY | RTLD_NOLOAD);
    if (!library || !kz_instructions()) return;
#define FIND(result, name, arguments)                                                     \
    if (!(name = (result(*) arguments)dlsym(library, #name))) {                           \
        snprintf(trouble, sizeof trouble, "TensorFlow's library has no function " #name); \
        return;                                                                           \
    }
    TENSORFLOW(FIND)
    *trouble = 0;
    define("KerazooLstm",
           WORDS(LSTM_INPUTS, "->", "outputs: float", "last_h: float", "last_c: float", "gates: float", "cells: float",
                 "hidden: float", "lookup: int32", "|", "backwards: bool", "sequences: bool"),
           read_options, lstm);
    define("KerazooLstmGradient",
           WORDS(LSTM_INPUTS, "gates: float", "cells: float", "hidden: float", "lookup: int32", "d_outputs: float",
                 "d_last_h: float", "d_last_c: float", "->", "d_inputs: float", "d_kernel: float", "d_recurrent: float",
                 "d_bias: float", "d_h: float", "d_c: float", "d_gates: float", "|", "backwards: bool", "sequences: bool"),
           read_options, lstm_gradient);
    /* M = N times the number of states that the optimizer keeps of a variable: the first of each, the second of each. */
#define VARIABLES "values: N * float", "states: M * float", "gradients: N * float"
#define RESULTS "->", "new_values: N * float", "new_states: M * float", "|", "N: int >= 1", "M: int >= 0"
#define ADAM "alpha: float", "rest_1: float", "rest_2: float", "epsilon: float"
#define RMSPROP "rate: float", "rho: float", "rest: float", "momentum: float", "epsilon: float"
#define SGD "rate: float", "momentum: float", "nesterov: float"
    define("KerazooAdam", WORDS(ADAM, VARIABLES, RESULTS), NULL, adam_dense);
    define("KerazooAdamSparse", WORDS(ADAM, VARIABLES, "indices: int32", RESULTS), NULL, adam_sparse);
    define("KerazooRMSprop", WORDS(RMSPROP, VARIABLES, RESULTS), NULL, rmsprop_dense);
    define("KerazooRMSpropSparse", WORDS(RMSPROP, VARIABLES, "indices: int32", RESULTS), NULL, rmsprop_sparse);
    define("KerazooSGD", WORDS(SGD, VARIABLES, RESULTS), NULL, sgd_dense);
    define("KerazooSGDSparse", WORDS(SGD, VARIABLES, "indices: int32", RESULTS), NULL, sgd_sparse);
}
