#define _GNU_SOURCE
#include "pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <xmmintrin.h>

enum { MOST_THREADS = 64, SPINS = 4000, WORKER_SPINS = 1000, KEPT = 16 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER, done = PTHREAD_COND_INITIALIZER;
static atomic_int wanted, running;  /* threads: asked for, the caller's included; started */
static atomic_flag busy = ATOMIC_FLAG_INIT;

/* The work at hand. `turn` changes when there is some; `left` counts the shares of the threads that are not done. */
static atomic_uint turn;
static atomic_int left;
static kz_task *task_now;
static void *work_now;
static int shares_now;

/* A loss that decays, or a moment of Adam, becomes a denormal number in time, which the processor handles a hundred
 * times more slowly. TensorFlow's threads take them for zero; so do these. */
static void do_share(kz_task *task, void *work, int share, int shares) {
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    task(work, share, shares);
    _mm_setcsr(before);
}

/* Thread number `mine`, and the turn that was over when it was made, in one word. */
static void *worker(void *word) {
    int mine = (int)((size_t)word % (2 * MOST_THREADS));
    for (unsigned seen = (unsigned)((size_t)word / (2 * MOST_THREADS));;) {
        for (int k = 0; k < WORKER_SPINS && atomic_load(&turn) == seen; k++) _mm_pause();
        if (atomic_load(&turn) == seen) {
            pthread_mutex_lock(&lock);
            while (atomic_load(&turn) == seen) pthread_cond_wait(&wake, &lock);
            pthread_mutex_unlock(&lock);
        }
        seen = atomic_load(&turn);
        if (mine < shares_now) do_share(task_now, work_now, mine, shares_now);  /* else fewer are wanted than once were */
        if (atomic_fetch_sub(&left, 1) == 1) {
            pthread_mutex_lock(&lock);
            pthread_cond_signal(&done);
            pthread_mutex_unlock(&lock);
        }
    }
    return NULL;
}

/* Has `count` threads running, or as many as the system gives. Called by the one who holds `busy`. */
static void start(int count) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  /* signals are for the threads that the user knows of */
    while (atomic_load(&running) < count) {
        pthread_t thread;
        size_t word = (size_t)atomic_load(&turn) * 2 * MOST_THREADS + atomic_load(&running) + 1;
        if (pthread_create(&thread, NULL, worker, (void *)word)) break;
        pthread_detach(thread);
        atomic_fetch_add(&running, 1);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int kz_threads(void) {
    int count = atomic_load(&wanted);
    if (!count) {
        cpu_set_t set;
        count = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
        count = count < 1 ? 1 : count > MOST_THREADS ? MOST_THREADS : count;
        atomic_store(&wanted, count);
    }
    return count;
}

void kz_set_threads(int count) { atomic_store(&wanted, count < 1 ? 1 : count > MOST_THREADS ? MOST_THREADS : count); }

void kz_share(kz_task *task, void *work, int shares) {
    if (shares > 1 && !atomic_flag_test_and_set(&busy)) {
        if (atomic_load(&running) < shares - 1) start(shares - 1);
        int threads = atomic_load(&running);
        pthread_mutex_lock(&lock);
        task_now = task, work_now = work, shares_now = shares;
        atomic_store(&left, threads);
        atomic_fetch_add(&turn, 1);
        pthread_cond_broadcast(&wake);
        pthread_mutex_unlock(&lock);
        do_share(task, work, 0, shares);
        for (int k = threads + 1; k < shares; k++) do_share(task, work, k, shares);  /* of threads that did not start */
        for (int k = 0; k < SPINS && atomic_load(&left); k++) _mm_pause();
        if (atomic_load(&left)) {
            pthread_mutex_lock(&lock);
            while (atomic_load(&left)) pthread_cond_wait(&done, &lock);
            pthread_mutex_unlock(&lock);
        }
        atomic_flag_clear(&busy);
    } else {
        for (int k = 0; k < shares; k++) do_share(task, work, k, shares);
    }
}

/* Memory that is not lent out at the moment. Its size stands before it. */
static struct block { struct block *next; size_t count; } *kept;
static int kept_count;
static atomic_flag keeping = ATOMIC_FLAG_INIT;

static void enter(void) { while (atomic_flag_test_and_set(&keeping)) sched_yield(); }

float *kz_borrow(size_t count) {
    struct block **best = NULL, *block = NULL;
    enter();
    for (struct block **each = &kept; *each; each = &(*each)->next)
        if ((*each)->count >= count && (*each)->count / 2 <= count + 1024 && (!best || (*each)->count < (*best)->count))
            best = each;
    if (best) block = *best, *best = block->next, kept_count--;
    atomic_flag_clear(&keeping);
    if (!block) {
        void *memory;
        if (count > (size_t)1 << 40 || posix_memalign(&memory, 64, 64 + count * sizeof(float))) return NULL;
        block = memory;
        block->count = count;
    }
    return (float *)((char *)block + 64);
}

void kz_give_back(float *memory) {
    if (!memory) return;
    struct block *block = (struct block *)((char *)memory - 64), *old = NULL;
    enter();
    block->next = kept, kept = block;
    if (++kept_count > KEPT) {  /* the one that was not wanted for the longest time */
        struct block **last = &kept;
        while ((*last)->next) last = &(*last)->next;
        old = *last, *last = NULL, kept_count--;
    }
    atomic_flag_clear(&keeping);
    free(old);
}

/* A forked child has none of the threads, and another thread of its parent may have held what is held here. */
static void after_fork(void) {
    pthread_mutex_init(&lock, NULL);
    pthread_cond_init(&wake, NULL);
    pthread_cond_init(&done, NULL);
    atomic_store(&running, 0);
    atomic_store(&turn, 0);
    atomic_store(&left, 0);
    atomic_flag_clear(&busy);
    kept = NULL, kept_count = 0;
    atomic_flag_clear(&keeping);
}

__attribute__((constructor)) static void loaded(void) { pthread_atfork(NULL, NULL, after_fork); }
