/* Threads that take turns, on a clock of their own: real workers, played step by step.
 *
 * One task runs at a time; it gives the turn away where it waits (sched_sleep). Who is next, of
 * those that are ready, is drawn from the seed; when all sleep the clock jumps to the first that
 * wakes. So a seed gives the same run each time, and hours pass in a moment. */
#ifndef SC_TEST_SCHED_H
#define SC_TEST_SCHED_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define SCHED_TASKS 64

struct sched;
struct sched_task {
    struct sched *s;
    pthread_t id;
    pthread_cond_t turn;
    bool live, used;
    int64_t wake_ms;
    void (*run)(void *arg);
    void *arg;
};

struct sched {
    pthread_mutex_t lock;
    struct sched_task tasks[SCHED_TASKS]; /* 0: who made it */
    struct sched_task *now;
    int64_t ms;
    uint64_t random;
};

static _Thread_local struct sched_task *sched_self;

static inline uint64_t sched_next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline uint32_t sched_below(struct sched *s, uint32_t n)
{
    return (uint32_t)(sched_next(&s->random) % n);
}

static inline void sched_init(struct sched *s, uint64_t seed, int64_t ms)
{
    memset(s, 0, sizeof(*s));
    pthread_mutex_init(&s->lock, NULL);
    s->random = seed;
    s->ms = ms;
    s->now = sched_self = &s->tasks[0];
    s->tasks[0].s = s;
    s->tasks[0].live = s->tasks[0].used = true;
    pthread_cond_init(&s->tasks[0].turn, NULL);
}

static inline struct sched_task *sched_pick(struct sched *s)
{
    for (;;) {
        struct sched_task *ready[SCHED_TASKS];
        int64_t first_ms = INT64_MAX;
        uint32_t n = 0;
        for (uint32_t i = 0; i < SCHED_TASKS; i++) {
            struct sched_task *t = &s->tasks[i];
            if (t->live && t->wake_ms <= s->ms)
                ready[n++] = t;
            else if (t->live && t->wake_ms < first_ms)
                first_ms = t->wake_ms;
        }
        if (n)
            return ready[sched_below(s, n)];
        s->ms = first_ms;
    }
}

/* Let the others run for `ms`; 0: only perhaps. */
static inline void sched_sleep(struct sched *s, int64_t ms)
{
    struct sched_task *self = sched_self;
    pthread_mutex_lock(&s->lock);
    s->ms += sched_below(s, 16) == 0; /* work takes time, too */
    self->wake_ms = s->ms + ms;
    s->now = sched_pick(s);
    if (s->now != self) {
        pthread_cond_signal(&s->now->turn);
        while (s->now != self)
            pthread_cond_wait(&self->turn, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
}

static inline void *sched_main(void *arg)
{
    struct sched_task *t = sched_self = arg;
    struct sched *s = t->s;
    pthread_mutex_lock(&s->lock);
    while (s->now != t)
        pthread_cond_wait(&t->turn, &s->lock);
    pthread_mutex_unlock(&s->lock);
    t->run(t->arg);
    pthread_mutex_lock(&s->lock);
    t->live = false;
    s->now = sched_pick(s);
    pthread_cond_signal(&s->now->turn);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* Its first turn comes at the next sleep. NULL: no task is free. */
static inline struct sched_task *sched_start(struct sched *s, void (*run)(void *arg), void *arg)
{
    for (uint32_t i = 1; i < SCHED_TASKS; i++) {
        struct sched_task *t = &s->tasks[i];
        if (t->used)
            continue;
        *t = (struct sched_task){.s = s, .used = true, .live = true, .wake_ms = s->ms, .run = run,
                                 .arg = arg};
        pthread_cond_init(&t->turn, NULL);
        if (pthread_create(&t->id, NULL, sched_main, t) == 0)
            return t;
        t->used = t->live = false;
    }
    return NULL;
}

static inline void sched_join(struct sched *s, struct sched_task *t)
{
    while (t->live)
        sched_sleep(s, 1);
    pthread_join(t->id, NULL);
    pthread_cond_destroy(&t->turn);
    t->used = false;
}

static inline void sched_fini(struct sched *s)
{
    pthread_cond_destroy(&s->tasks[0].turn);
    pthread_mutex_destroy(&s->lock);
}

#endif
