#define _GNU_SOURCE
#include "pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <xmmintrin.h>

enum { MOST_THREADS = 64, SPINS = 4000, WORKER_SPINS = 1000, KEPT = 16 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER, done = PTHREAD_COND_INITIALIZER;
static atomic_int wanted, running; /* threads: asked for, the caller's included; started */
static atomic_flag busy = ATOMIC_FLAG_INIT;

/* The work at hand. One word says which turn it is, of how many shares, and how many of them are taken: so that a thread
 * that takes one takes it of the work that it has looked at. */
static _Atomic uint64_t state;
static _Atomic(kz_task *) task_now;
static _Atomic(void *) work_now;
static atomic_int left; /* shares that are not done */

static int taken_of(uint64_t word) { return word & 0xffff; }
static int shares_of(uint64_t word) { return word >> 16 & 0xffff; }
static int any_left(void) { uint64_t word = atomic_load(&state); return taken_of(word) < shares_of(word); }

/* A moment of Adam becomes a denormal number in time, which the processor handles a hundred times more slowly.
 * TensorFlow's threads take them for zero; so do these. */
static void do_share(kz_task *task, void *work, int share, int shares) {
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    task(work, share, shares);
    _mm_setcsr(before);
}

/* Does one share, if one is left. */
static int take_one(void) {
    uint64_t word = atomic_load(&state);
    do {
        if (taken_of(word) >= shares_of(word)) return 0;
        kz_task *task = atomic_load(&task_now);
        void *work = atomic_load(&work_now);
        if (!atomic_compare_exchange_weak(&state, &word, word + 1)) continue;
        do_share(task, work, taken_of(word), shares_of(word));
        if (atomic_fetch_sub(&left, 1) == 1) {
            pthread_mutex_lock(&lock);
            pthread_cond_signal(&done);
            pthread_mutex_unlock(&lock);
        }
        return 1;
    } while (1);
}

static void *worker(void *nothing) {
    for (;;) {
        for (int k = 0; k < WORKER_SPINS && !any_left(); k++) _mm_pause();
        if (!any_left()) {
            pthread_mutex_lock(&lock);
            while (!any_left()) pthread_cond_wait(&wake, &lock);
            pthread_mutex_unlock(&lock);
        }
        take_one();
    }
    return nothing;
}

/* Has `count` threads running, or as many as the system gives. Called by the one who holds `busy`. */
static void start(int count) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the threads that the user knows of */
    while (atomic_load(&running) < count) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, worker, NULL)) break;
        pthread_detach(thread);
        atomic_fetch_add(&running, 1);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void kz_set_threads(int count) { atomic_store(&wanted, count < 1 ? 1 : count > MOST_THREADS ? MOST_THREADS : count); }

/* The processors' time that a container may use, in whole processors, rounded up (cgroup v2: "200000 100000", or "max ..."
 * where there is no limit). More threads than that would be stopped in turn, and wait for each other. */
static long quota(void) {
    long time, period;
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
    int limited = file && fscanf(file, "%ld %ld", &time, &period) == 2 && time > 0 && period > 0;
    if (file) fclose(file);
    return limited ? (time + period - 1) / period : MOST_THREADS;
}

int kz_threads(void) {
    if (!atomic_load(&wanted)) {
        cpu_set_t set;
        int count = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
        kz_set_threads(count < quota() ? count : (int)quota());
    }
    return atomic_load(&wanted);
}

void kz_share(kz_task *task, void *work, int shares) {
    int others = kz_threads() - 1;
    if (shares < 2 || others < 1 || atomic_flag_test_and_set(&busy)) {
        for (int k = 0; k < shares; k++) do_share(task, work, k, shares);
        return;
    }
    if (atomic_load(&running) < others) start(others);
    atomic_store(&task_now, task);
    atomic_store(&work_now, work);
    atomic_store(&left, shares);
    pthread_mutex_lock(&lock);
    atomic_store(&state, ((atomic_load(&state) >> 32) + 1) << 32 | (uint64_t)shares << 16);
    pthread_cond_broadcast(&wake);
    pthread_mutex_unlock(&lock);
    while (take_one()) {}
    for (int k = 0; k < SPINS && atomic_load(&left); k++) _mm_pause();
    if (atomic_load(&left)) {
        pthread_mutex_lock(&lock);
        while (atomic_load(&left)) pthread_cond_wait(&done, &lock);
        pthread_mutex_unlock(&lock);
    }
    atomic_flag_clear(&busy);
}

/* Memory that is not lent out at the moment. Its size stands before it. */
static struct block { struct block *next; size_t count; } *kept;
static int kept_count;
static atomic_flag keeping = ATOMIC_FLAG_INIT;

static void enter(void) { while (atomic_flag_test_and_set(&keeping)) sched_yield(); }

float *kz_borrow(size_t count) {
    struct block **best = NULL, **largest = NULL, *block = NULL;
    enter();
    for (struct block **each = &kept; *each; each = &(*each)->next) {
        if ((*each)->count >= count && (!best || (*each)->count < (*best)->count)) best = each;
        if (!largest || (*each)->count > (*largest)->count) largest = each;
    }
    struct block **from = best ? best : largest;
    if (from) block = *from, *from = block->next, kept_count--;
    atomic_flag_clear(&keeping);
    if (block && !best) free(block), block = NULL; /* a larger one takes the place of one that is too small */
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
    atomic_store(&state, 0);
    atomic_store(&left, 0);
    atomic_flag_clear(&busy);
    kept = NULL, kept_count = 0;
    atomic_flag_clear(&keeping);
}

__attribute__((constructor)) static void loaded(void) { pthread_atfork(NULL, NULL, after_fork); }
