/* A small pool of threads, and memory to work in that is kept for the next call. */
#ifndef KERAZOO_POOL_H
#define KERAZOO_POOL_H

#include <stddef.h>

/* Does one of `shares` equal parts of a piece of work. */
typedef void kz_task(void *work, int share, int shares);

/* How many threads a piece of work is shared by; at first as many as there are processors that this process may run on,
 * and no more than its container's quota of their time. */
__attribute__((visibility("default"))) int kz_threads(void);
__attribute__((visibility("default"))) void kz_set_threads(int count);

/* Has each of `shares` shares done, by the caller and those of the pool's threads that find the time, and returns when all
 * are. Where the pool is at work for another caller, this one does all of them itself: nobody waits, and results never
 * depend on who did what. */
void kz_share(kz_task *task, void *work, int shares);

/* The part of `count` things that is the share's: from kz_from(share) to kz_from(share + 1). */
static inline long kz_from(long count, int share, int shares) { return count * share / shares; }

/* Memory for `count` floats, 64-byte aligned and not cleared, or NULL; returned for the next call by kz_give_back. */
float *kz_borrow(size_t count);
void kz_give_back(float *memory);

#endif
