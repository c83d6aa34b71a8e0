/* The LSTM as calls that XLA makes on a CPU, for JAX. What is needed of XLA's interface for foreign functions (its plain
 * C structures, version 0) is written down here, so that no header of it is needed to build this. */
#include <stdint.h>
#include <stdlib.h>

#include "kernels.h"

struct extension { size_t size; int type; struct extension *next; };
struct version { size_t size; struct extension *extension; int major, minor; };
struct metadata { size_t size; struct version version; uint32_t traits; };
struct asks_metadata { struct extension base; struct metadata *metadata; };

struct error_of { size_t size; struct extension *extension; const char *message; int code; };
struct api {
    size_t size;
    struct extension *extension;
    struct version version;
    const void *internal;
    void *(*create_error)(struct error_of *);
};

struct buffer { size_t size; struct extension *extension; int dtype; void *data; int64_t rank; int64_t *dims; };
struct list { size_t size; struct extension *extension; int64_t count; int *types; struct buffer **items; };
struct frame {
    size_t size;
    struct extension *extension;
    const struct api *api;
    void *context;
    int stage;
    struct list arguments, results; /* and what is not read here */
};

enum { METADATA = 1, EXECUTE = 3, FLOAT32 = 11, INVALID = 3, EXHAUSTED = 8 };

static void *error(const struct frame *f, int code, const char *message) {
    struct error_of e = {sizeof e, NULL, message, code};
    return f->api->create_error(&e);
}

/* XLA asks each function once for the version of the interface that it was written for: 0, in which the minor version
 * adds to these structures only at their ends. */
static int was_asked(const struct frame *f) {
    const struct asks_metadata *asked = (const void *)f->extension;
    if (!asked || asked->base.type != METADATA) return 0;
    asked->metadata->version.major = 0;
    asked->metadata->version.minor = f->api->version.minor;
    return 1;
}

static float *at(const struct list *list, int i) { return list->items[i]->data; }

/* Whether there are as many arguments as wanted, all of float32, and the first is (B, T, D) with D > 0. */
static int fits(const struct frame *f, int arguments) {
    if (f->arguments.count != arguments) return 0;
    for (int i = 0; i < arguments; i++)
        if (f->arguments.items[i]->dtype != FLOAT32) return 0;
    const struct buffer *inputs = f->arguments.items[0];
    return inputs->rank == 3 && inputs->dims[2] > 0 && f->arguments.items[2]->rank == 2;
}

/* The arguments that both calls begin with: inputs (B, T, D), kernel, recurrent, bias, h, c. */
static struct kz_lstm lstm_of(const struct frame *f) {
    const int64_t *dims = f->arguments.items[0]->dims;
    const struct list *a = &f->arguments;
    return (struct kz_lstm){.batch = dims[0], .steps = dims[1], .inputs_width = dims[2],
                            .units = a->items[2]->dims[0], .inputs = at(a, 0), .kernel = at(a, 1),
                            .recurrent = at(a, 2), .bias = at(a, 3), .h = at(a, 4), .c = at(a, 5)};
}

/* To outputs (B, T, H), the last h and c (B, H), and, where the gradient is wanted: gates, cells, hidden. */
KZ_EXPORT void *kz_xla_lstm(struct frame *f) {
    if (was_asked(f) || f->stage != EXECUTE) return NULL;
    if (!fits(f, 6) || (f->results.count != 3 && f->results.count != 6))
        return error(f, INVALID, "wanted 6 float32 arguments and 3 or 6 results");
    struct kz_lstm l = lstm_of(f);
    const struct list *r = &f->results;
    if (r->count == 6) l.gates = at(r, 3), l.cells = at(r, 4), l.hidden = at(r, 5);
    return kz_lstm_forward(&l, at(r, 0), at(r, 1), at(r, 2)) ? error(f, EXHAUSTED, "memory is short") : NULL;
}

/* From those, gates, cells, hidden, and the gradients of outputs, last h and c, to those of the six arguments; the last
 * result is as large as the gates, to work in. */
KZ_EXPORT void *kz_xla_lstm_gradient(struct frame *f) {
    if (was_asked(f) || f->stage != EXECUTE) return NULL;
    if (!fits(f, 12) || f->results.count != 7)
        return error(f, INVALID, "wanted 12 float32 arguments and 7 results");
    struct kz_lstm l = lstm_of(f);
    const struct list *a = &f->arguments, *r = &f->results;
    l.gates = at(a, 6), l.cells = at(a, 7), l.hidden = at(a, 8);
    struct kz_lstm_gradients d = {.d_outputs = at(a, 9), .d_last_h = at(a, 10), .d_last_c = at(a, 11),
                                  .d_inputs = at(r, 0), .d_kernel = at(r, 1), .d_recurrent = at(r, 2), .d_bias = at(r, 3),
                                  .d_h = at(r, 4), .d_c = at(r, 5), .d_gates = at(r, 6)};
    return kz_lstm_backward(&l, &d) ? error(f, EXHAUSTED, "memory is short") : NULL;
}
