/* What is used of TensorFlow's C API for kernels, and a call of an operation on top of it. The functions are looked up in
 * the library that Python has loaded, so that neither TensorFlow nor its headers are needed to build this. */
#ifndef KERAZOO_TENSORFLOW_H
#define KERAZOO_TENSORFLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct TF_Tensor TF_Tensor;
typedef struct TF_Status TF_Status;
typedef struct TF_OpKernelContext TF_OpKernelContext;
typedef struct TF_OpKernelConstruction TF_OpKernelConstruction;
typedef struct TF_OpDefinitionBuilder TF_OpDefinitionBuilder;
typedef struct TF_KernelBuilder TF_KernelBuilder;
typedef struct TF_ShapeInferenceContext TF_ShapeInferenceContext;
enum { TF_FLOAT = 1, TF_INT32 = 3 };
enum { TF_OK = 0, TF_INVALID_ARGUMENT = 3, TF_RESOURCE_EXHAUSTED = 8 };

typedef void shape_function(TF_ShapeInferenceContext *, TF_Status *);
typedef void *create_function(TF_OpKernelConstruction *);
typedef void compute_function(void *, TF_OpKernelContext *);
typedef void delete_function(void *);

/* result, name, arguments: as in tensorflow/c/{tf_status,tf_tensor,ops,kernels}.h, unchanged from TensorFlow 2.5 on. */
#define TENSORFLOW(F)                                                                                              \
    F(TF_Status *, TF_NewStatus, (void))                                                                           \
    F(void, TF_DeleteStatus, (TF_Status *))                                                                        \
    F(void, TF_SetStatus, (TF_Status *, int, const char *))                                                        \
    F(int, TF_GetCode, (const TF_Status *))                                                                        \
    F(const char *, TF_Message, (const TF_Status *))                                                               \
    F(void *, TF_TensorData, (const TF_Tensor *))                                                                  \
    F(int, TF_NumDims, (const TF_Tensor *))                                                                        \
    F(int64_t, TF_Dim, (const TF_Tensor *, int))                                                                   \
    F(int64_t, TF_TensorElementCount, (const TF_Tensor *))                                                         \
    F(void, TF_DeleteTensor, (TF_Tensor *))                                                                        \
    F(TF_OpDefinitionBuilder *, TF_NewOpDefinitionBuilder, (const char *))                                         \
    F(void, TF_OpDefinitionBuilderAddInput, (TF_OpDefinitionBuilder *, const char *))                              \
    F(void, TF_OpDefinitionBuilderAddOutput, (TF_OpDefinitionBuilder *, const char *))                             \
    F(void, TF_OpDefinitionBuilderAddAttr, (TF_OpDefinitionBuilder *, const char *))                               \
    F(void, TF_OpDefinitionBuilderSetShapeInferenceFunction, (TF_OpDefinitionBuilder *, shape_function *))         \
    F(void, TF_RegisterOpDefinition, (TF_OpDefinitionBuilder *, TF_Status *))                                      \
    F(void, TF_ShapeInferenceContextSetUnknownShape, (TF_ShapeInferenceContext *, TF_Status *))                    \
    F(TF_KernelBuilder *, TF_NewKernelBuilder,                                                                     \
      (const char *, const char *, create_function *, compute_function *, delete_function *))                      \
    F(void, TF_RegisterKernelBuilder, (const char *, TF_KernelBuilder *, TF_Status *))                             \
    F(void, TF_OpKernelConstruction_GetAttrBool,                                                                   \
      (TF_OpKernelConstruction *, const char *, unsigned char *, TF_Status *))                                     \
    F(void, TF_OpKernelContext_Failure, (TF_OpKernelContext *, TF_Status *))                                       \
    F(int, TF_NumInputs, (TF_OpKernelContext *))                                                                   \
    F(void, TF_GetInput, (TF_OpKernelContext *, int, TF_Tensor **, TF_Status *))                                   \
    F(TF_Tensor *, TF_ForwardInputOrAllocateOutput,                                                                \
      (TF_OpKernelContext *, const int *, int, int, const int64_t *, int, int *, TF_Status *))                     \
    F(TF_Tensor *, TF_AllocateOutput,                                                                              \
      (TF_OpKernelContext *, int, int, const int64_t *, int, size_t, TF_Status *))
#define DECLARE(result, name, arguments) static result(*name) arguments;
TENSORFLOW(DECLARE)
#undef DECLARE

/* A call of an operation: the inputs that it holds, and the first thing that went wrong. Kept apart from `status`, which
 * every function of the API sets anew. */
struct call {
    TF_OpKernelContext *context;
    TF_Status *status;
    TF_Tensor **inputs;
    int count, code;
    char message[160];
};

static void fail(struct call *call, int code, const char *message) {
    if (call->code == TF_OK) call->code = code, snprintf(call->message, sizeof call->message, "%s", message);
}

static struct call begin(TF_OpKernelContext *context) {
    struct call call = {.context = context, .status = TF_NewStatus(), .count = TF_NumInputs(context)};
    call.inputs = calloc(call.count, sizeof *call.inputs);
    if (!call.inputs) call.count = 0, fail(&call, TF_RESOURCE_EXHAUSTED, "memory is short");
    return call;
}

static bool good(struct call *call) {
    if (TF_GetCode(call->status) != TF_OK) fail(call, TF_GetCode(call->status), TF_Message(call->status));
    return call->code == TF_OK;
}

/* Input i, or NULL where something went wrong. */
static TF_Tensor *input(struct call *call, int i) {
    if (!call->inputs) return NULL;
    if (!call->inputs[i] && good(call)) TF_GetInput(call->context, i, &call->inputs[i], call->status);
    return call->inputs[i];
}

static void *data(struct call *call, int i) {
    TF_Tensor *tensor = input(call, i);
    return tensor ? TF_TensorData(tensor) : NULL;
}

static float scalar(struct call *call, int i) {
    TF_Tensor *tensor = input(call, i);
    if (tensor && TF_TensorElementCount(tensor) == 1) return *(float *)TF_TensorData(tensor);
    return fail(call, TF_INVALID_ARGUMENT, "wanted a single number"), 0;
}

/* The size of one dimension of an input of `rank` dimensions. */
static long size(struct call *call, int i, int rank, int dimension) {
    TF_Tensor *tensor = input(call, i);
    if (tensor && TF_NumDims(tensor) == rank) return TF_Dim(tensor, dimension);
    return fail(call, TF_INVALID_ARGUMENT, "an input has another number of dimensions than is wanted"), 0;
}

static void want(struct call *call, int i, long count) {
    TF_Tensor *tensor = input(call, i);
    if (tensor && TF_TensorElementCount(tensor) != count)
        fail(call, TF_INVALID_ARGUMENT, "the inputs' shapes do not fit each other");
}

static void *output(struct call *call, int i, int type, int rank, const int64_t *shape) {
    size_t bytes = 4;
    for (int k = 0; k < rank; k++) bytes *= shape[k];
    if (!good(call)) return NULL;
    TF_Tensor *tensor = TF_AllocateOutput(call->context, i, type, shape, rank, bytes, call->status);
    void *memory = tensor ? TF_TensorData(tensor) : NULL;
    if (tensor) TF_DeleteTensor(tensor); /* the context keeps it */
    return memory;
}

/* The same for what takes the place of input i: in its memory where nobody else holds that. To be called before anything
 * looks at the input, and so holds it. */
static float *replace(struct call *call, int i, int result, int rank, const int64_t *shape) {
    int forwarded, candidates[] = {i};
    if (!good(call)) return NULL;
    TF_Tensor *tensor =
        TF_ForwardInputOrAllocateOutput(call->context, candidates, 1, result, shape, rank, &forwarded, call->status);
    float *memory = tensor ? TF_TensorData(tensor) : NULL;
    if (tensor) TF_DeleteTensor(tensor);
    return memory;
}
#define SHAPE(...) (sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]){__VA_ARGS__}

static void end(struct call *call) {
    if (!good(call)) {
        TF_SetStatus(call->status, call->code, call->message);
        TF_OpKernelContext_Failure(call->context, call->status);
    }
    for (int i = 0; i < call->count; i++)
        if (call->inputs[i]) TF_DeleteTensor(call->inputs[i]);
    free(call->inputs);
    TF_DeleteStatus(call->status);
}

#endif
