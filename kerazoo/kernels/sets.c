#include <string.h>

#include "sets.h"

static const struct kz_set *chosen;

static const struct kz_set *best(void) {
    __builtin_cpu_init();
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return !avx2 ? NULL : __builtin_cpu_supports("avx512f") ? &kz_avx512 : &kz_avx2;
}

const struct kz_set *kz_set(void) { return chosen ? chosen : (chosen = best()); }

const char *kz_instructions(void) { return kz_set() ? kz_set()->name : NULL; }

int kz_use(const char *instructions) {
    const struct kz_set *wanted = !strcmp(instructions, kz_avx2.name)     ? &kz_avx2
                                  : !strcmp(instructions, kz_avx512.name) ? &kz_avx512
                                                                          : NULL;
    if (!wanted || !best() || (wanted == &kz_avx512 && best() != wanted)) return 0;
    chosen = wanted;
    return 1;
}
