/* Numbers in a window that slides over event time: (now - w, now], half-open (semantics 15); or the
 * calendar's day, week or month so far, which is the end of a window as long as the longest of them.
 *
 * The newest 64 events (`exact`: 4,096) stand one by one, what is older in buckets of 1/64 of the
 * window, aligned to the epoch, each with the time of its newest event. So a window that holds no
 * more than 64 is exact; past that it reads as a window between w and w + w/64 long: a bucket
 * counts whole while its newest event is inside.
 *
 * What is kept is a function of the set of events alone: pruning takes whole buckets of time
 * behind the newest event, whether in entries or buckets; the newest 64 of a union are those of
 * its parts'. Hence order of arrival and of merges cannot matter, also past 64. Cost: append and
 * front removal O(1), out of order a move of the entries behind. */
#include "core/journey/facts.h"

#include "base/assert.h"

static bool before(const struct sc_win_entry *a, const struct sc_win_entry *b)
{
    return a->ms != b->ms ? a->ms < b->ms : a->raw < b->raw;
}

static void forget(const struct sc_fact_plan *plan, struct sc_fact_state *fs)
{
    SC_ASSERT(fs->n_entries > 0);
    int64_t newest = fs->entries[fs->n_entries - 1].ms;
    int64_t gone = newest - plan->window_ms;
    if (fs->entries[0].ms > gone &&
        (fs->n_more == 0 || fs->buckets[0].index * plan->width_ms > gone))
        return;
    int64_t cut = sc_window_cut(plan, newest);
    uint32_t k = 0;
    while (fs->entries[k].ms < cut)
        k++; /* ends at the newest, which is inside */
    fs->entries += k;
    fs->n_entries -= k;
    fs->cap_entries -= k;
    while (fs->n_more > 0 && fs->buckets->index * plan->width_ms < cut) {
        fs->buckets++;
        fs->n_more--;
        fs->cap_more--;
    }
}

static struct sc_win_bucket *bucket_at(struct sc_arena *ar, struct sc_fact_state *fs,
                                       int64_t index)
{
    uint32_t at = fs->n_more;
    while (at > 0 && fs->buckets[at - 1].index > index)
        at--;
    if (at > 0 && fs->buckets[at - 1].index == index)
        return &fs->buckets[at - 1];
    if (fs->n_more == fs->cap_more) {
        uint32_t cap = fs->n_more ? 2 * fs->n_more : 8;
        const size_t each = sizeof(*fs->buckets);
        fs->buckets = sc_arena_grow(ar, fs->buckets, fs->n_more * each, fs->cap_more * each,
                                    cap * each);
        fs->cap_more = cap;
    }
    memmove(&fs->buckets[at + 1], &fs->buckets[at], (fs->n_more - at) * sizeof(*fs->buckets));
    fs->n_more++;
    fs->buckets[at] = (struct sc_win_bucket){.index = index, .last_ms = SC_NEVER};
    return &fs->buckets[at];
}

/* Over the bound the oldest entries go to their buckets. */
static void fold_oldest(const struct sc_fact_plan *plan, struct sc_arena *ar,
                        struct sc_fact_state *fs)
{
    while (fs->n_entries > plan->keep) {
        struct sc_win_entry e = *fs->entries;
        struct sc_win_bucket *b = bucket_at(ar, fs, sc_floor_div(e.ms, plan->width_ms));
        sc_acc_add(plan, &b->acc, e.raw);
        b->last_ms = e.ms > b->last_ms ? e.ms : b->last_ms;
        fs->entries++;
        fs->n_entries--;
        fs->cap_entries--;
    }
}

static void grow(struct sc_arena *ar, struct sc_fact_state *fs, uint32_t cap)
{
    SC_ASSERT(cap > fs->n_entries);
    const size_t each = sizeof(*fs->entries);
    fs->entries = sc_arena_grow(ar, fs->entries, fs->n_entries * each, fs->cap_entries * each,
                                cap * each);
    fs->cap_entries = cap;
}

void sc_window_add(const struct sc_fact_plan *plan, struct sc_arena *ar, struct sc_fact_state *fs,
                   struct sc_win_entry entry)
{
    SC_ASSERT(plan->window_ms > 0 && plan->width_ms > 0);
    uint32_t at = fs->n_entries;
    if (!sc_window_keeps(plan, fs, entry.ms))
        return;
    if (fs->n_entries == fs->cap_entries)
        grow(ar, fs, fs->n_entries ? 2 * fs->n_entries : 4);
    while (at > 0 && before(&entry, &fs->entries[at - 1])) {
        fs->entries[at] = fs->entries[at - 1];
        at--;
    }
    fs->entries[at] = entry;
    fs->n_entries++;
    forget(plan, fs);
    fold_oldest(plan, ar, fs);
    SC_ASSERT(fs->n_entries <= plan->keep);
}

void sc_window_read(const struct sc_fact_plan *plan, const struct sc_fact_state *fs,
                    int64_t out_ms, int64_t now_ms, struct sc_fact_acc *acc)
{
    SC_ASSERT(plan->window_ms > 0 && out_ms >= now_ms - plan->window_ms);
    SC_ASSERT(fs->n_more == 0 || fs->n_entries > 0);
    for (uint32_t i = 0; i < fs->n_more; i++) {
        const struct sc_win_bucket *b = &fs->buckets[i];
        if (b->last_ms > out_ms && b->index * plan->width_ms <= now_ms)
            sc_acc_merge(plan, acc, &b->acc);
    }
    uint32_t at = 0, end = fs->n_entries;
    while (at < end && fs->entries[at].ms <= out_ms)
        at++;
    while (end > at && fs->entries[end - 1].ms > now_ms)
        end--;
    if (plan->fold == SC_FOLD_COUNT)
        acc->n += end - at;
    else
        for (; at < end; at++)
            sc_acc_add(plan, acc, fs->entries[at].raw);
}

static void merge_entries(struct sc_arena *ar, struct sc_fact_state *into,
                          const struct sc_fact_state *from)
{
    struct sc_fact_state a = *into;
    SC_ASSERT(a.n_entries <= SC_WINDOW_EXACT_MAX && from->n_entries <= SC_WINDOW_EXACT_MAX);
    uint32_t n = a.n_entries + from->n_entries, i = 0, j = 0;
    into->entries = sc_arena_alloc(ar, n * sizeof(*into->entries));
    for (uint32_t k = 0; k < n; k++) {
        bool mine = j == from->n_entries ||
                    (i < a.n_entries && before(&a.entries[i], &from->entries[j]));
        into->entries[k] = mine ? a.entries[i++] : from->entries[j++];
    }
    into->n_entries = into->cap_entries = n;
}

void sc_window_merge(const struct sc_fact_plan *plan, struct sc_arena *ar,
                     struct sc_fact_state *into, const struct sc_fact_state *from)
{
    if (from->n_entries == 0)
        return;
    SC_ASSERT(into->n_more == 0 || into->n_entries > 0);
    merge_entries(ar, into, from);
    for (uint32_t i = 0; i < from->n_more; i++) {
        const struct sc_win_bucket *b = &from->buckets[i];
        struct sc_win_bucket *to = bucket_at(ar, into, b->index);
        sc_acc_merge(plan, &to->acc, &b->acc);
        to->last_ms = b->last_ms > to->last_ms ? b->last_ms : to->last_ms;
    }
    forget(plan, into);
    fold_oldest(plan, ar, into);
    SC_ASSERT(into->n_entries <= plan->keep);
}
