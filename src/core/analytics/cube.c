/* See cube.h. */
#include "core/analytics/cube.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "base/time.h"
#include "core/analytics/plan.h"
#include "core/journey/effects.h"
#include "core/journey/unite.h"

#define SLOTS_FIRST 256u

void sc_cube_init(struct sc_cube *cube, struct sc_arena *ar)
{
    SC_ASSERT(ar != NULL);
    *cube = (struct sc_cube){.ar = ar};
}

static struct sc_cell *slots_new(struct sc_arena *ar, uint32_t n)
{
    struct sc_cell *slots = SC_NEW_N(ar, struct sc_cell, n);
    for (uint32_t i = 0; i < n; i++)
        slots[i].metric = SC_METRIC_COUNT;
    return slots;
}

static uint64_t hash_of(const struct sc_cell *c)
{
    uint64_t text[3] = {(uint64_t)c->start_ms, (uint64_t)c->metric << 32 | (uint32_t)c->keys[0],
                        (uint64_t)(uint32_t)c->keys[1] << 32 | (uint32_t)c->keys[2]};
    return sc_hash_xxh3((const char *)text, sizeof(text), 0);
}

static bool same(const struct sc_cell *a, const struct sc_cell *b)
{
    return a->metric == b->metric && a->start_ms == b->start_ms &&
           memcmp(a->keys, b->keys, sizeof(a->keys)) == 0;
}

static struct sc_cell *find(struct sc_cell *slots, uint32_t mask, const struct sc_cell *key)
{
    uint32_t at = (uint32_t)hash_of(key) & mask;
    while (slots[at].metric != SC_METRIC_COUNT && !same(&slots[at], key))
        at = (at + 1) & mask;
    return &slots[at];
}

static void grow(struct sc_cube *cube)
{
    uint32_t n = cube->slots ? 2 * (cube->mask + 1) : SLOTS_FIRST;
    SC_ASSERT(n > cube->n);
    struct sc_cell *slots = slots_new(cube->ar, n);
    for (uint32_t i = 0; cube->slots && i <= cube->mask; i++)
        if (cube->slots[i].metric != SC_METRIC_COUNT)
            *find(slots, n - 1, &cube->slots[i]) = cube->slots[i];
    cube->slots = slots;
    cube->mask = n - 1;
}

void sc_cube_add(struct sc_cube *cube, const struct sc_cell *delta)
{
    SC_ASSERT(delta->metric < SC_METRIC_COUNT);
    if (cube->slots == NULL || cube->n * 4 > cube->mask * 3)
        grow(cube);
    struct sc_cell *cell = find(cube->slots, cube->mask, delta);
    if (cell->metric == SC_METRIC_COUNT) {
        *cell = *delta;
        cube->n++;
        return;
    }
    cell->count += delta->count;
    cell->sum += delta->sum;
}

static int order_cells(const void *a, const void *b)
{
    const struct sc_cell *x = a, *y = b;
    if (x->metric != y->metric)
        return x->metric < y->metric ? -1 : 1;
    if (x->start_ms != y->start_ms)
        return x->start_ms < y->start_ms ? -1 : 1;
    for (int k = 0; k < SC_KEYS_MAX; k++)
        if (x->keys[k] != y->keys[k])
            return x->keys[k] < y->keys[k] ? -1 : 1;
    return 0;
}

const struct sc_cell *sc_cube_cells(const struct sc_cube *cube, struct sc_arena *ar, uint32_t *n)
{
    struct sc_cell *cells = SC_NEW_N(ar, struct sc_cell, cube->n + 1);
    *n = 0;
    for (uint32_t i = 0; cube->slots && i <= cube->mask; i++) {
        const struct sc_cell *c = &cube->slots[i];
        if (c->metric != SC_METRIC_COUNT && (c->count != 0 || c->sum != 0))
            cells[(*n)++] = *c;
    }
    SC_ASSERT(*n <= cube->n);
    sc_sort(ar, cells, *n, sizeof(*cells), order_cells);
    return cells;
}

/* ---- as text */

static struct sc_str word(enum sc_key_kind kind, int32_t key)
{
    static const char *const outcomes[] = {"sent", "deferred", "cancelled", "withdrawn"};
    static const char *const lives[] = {"new", "returning", "resurrected"};
    static const char *const targets[] = {"within", "after", "overdue"};
    static const char *const groups[] = {"detractor", "passive", "promoter"};
    static const char *const answers[] = {"unsatisfied", "satisfied"};
    static const struct {
        const char *const *words;
        int32_t n;
    } lists[SC_KEY_COUNT] = {
        [SC_KEY_OUTCOME] = {outcomes, 4}, [SC_KEY_LIFE] = {lives, 3},
        [SC_KEY_TARGET] = {targets, 3}, [SC_KEY_GROUP] = {groups, 3}, [SC_KEY_ANSWER] = {answers, 2},
    };
    SC_ASSERT(lists[kind].words != NULL && key < lists[kind].n);
    return sc_str_from(lists[kind].words[key]);
}

struct sc_str sc_key_text(const struct sc_journey *jo, enum sc_key_kind kind, int32_t key,
                          struct sc_arena *ar)
{
    SC_ASSERT(key >= SC_KEY_UNKNOWN);
    if (key == SC_KEY_UNKNOWN)
        return SC_STR_NULL;
    switch (kind) {
    case SC_KEY_STAGE:
    case SC_KEY_FROM:
    case SC_KEY_TO:
        return jo->stages[key].name;
    case SC_KEY_MILESTONE:
        return jo->milestones[key].name;
    case SC_KEY_TRIGGER:
        return jo->triggers[key].name;
    case SC_KEY_CHANNEL:
        return jo->channels[key].name;
    case SC_KEY_REASON:
        return sc_str_from(sc_reason_name((enum sc_reason)key));
    case SC_KEY_CAP:
        return jo->guard.caps[key].text;
    case SC_KEY_EVENT:
        return jo->tx->events[key].name;
    case SC_KEY_MEDIUM:
    case SC_KEY_NEXT_MEDIUM:
        return jo->analytics->media[key];
    case SC_KEY_CASE:
        return jo->tx->cases[key].name;
    case SC_KEY_CAUSE:
        return sc_str_from(sc_cause_name((enum sc_cause)key));
    case SC_KEY_OUTCOME:
    case SC_KEY_LIFE:
    case SC_KEY_TARGET:
    case SC_KEY_GROUP:
    case SC_KEY_ANSWER:
        return word(kind, key);
    case SC_KEY_BUCKET:
        return sc_str_printf(ar, "%lld", (long long)sc_bucket_ms(key));
    case SC_KEY_WEEKS:
    case SC_KEY_FREQUENCY:
        return sc_str_printf(ar, "%d", key);
    case SC_KEY_NONE:
    case SC_KEY_COUNT:
        break;
    }
    SC_UNREACHABLE("kind of a key");
}

struct sc_str sc_sum_text(const struct sc_journey *jo, const struct sc_cell *cell,
                          struct sc_arena *ar)
{
    const struct sc_metric_info *mi = sc_metric_info((enum sc_metric)cell->metric);
    unsigned scale = mi->sum == SC_SUM_VALUE ? jo->analytics->value_scale : 0;
    char digits[64];
    unsigned at = sizeof(digits), written = 0;
    bool negative = cell->sum < 0;
    sc_sum v = negative ? -cell->sum : cell->sum;
    bool fraction = false; /* a digit that counts stands behind the point */
    while (v > 0 || written <= scale) {
        char digit = (char)('0' + (int)(v % 10));
        v /= 10;
        if (written == scale && fraction)
            digits[--at] = '.';
        fraction |= digit != '0' && written < scale;
        if (written >= scale || fraction)
            digits[--at] = digit;
        written++;
        SC_ASSERT(at > 2);
    }
    if (negative)
        digits[--at] = '-';
    return sc_str_dup(ar, (struct sc_str){digits + at, sizeof(digits) - at});
}

void sc_cell_json(const struct sc_journey *jo, const struct sc_cell *cell, struct sc_arena *ar,
                  struct sc_buf *out)
{
    const struct sc_metric_info *mi = sc_metric_info((enum sc_metric)cell->metric);
    struct sc_jsonw w;
    sc_jsonw_init(&w, out);
    sc_jsonw_obj(&w);
    sc_jsonw_keyz(&w, "type");
    sc_jsonw_strz(&w, "analytics");
    sc_jsonw_keyz(&w, "metric");
    sc_jsonw_strz(&w, mi->name);
    sc_jsonw_keyz(&w, "window_start");
    sc_jsonw_time(&w, cell->start_ms);
    sc_jsonw_keyz(&w, "window_end");
    sc_jsonw_time(&w, cell->start_ms + sc_window_length(mi->window));
    sc_jsonw_keyz(&w, "key");
    sc_jsonw_obj(&w);
    for (int k = 0; k < SC_KEYS_MAX && mi->keys[k] != SC_KEY_NONE; k++) {
        struct sc_str text = sc_key_text(jo, mi->keys[k], cell->keys[k], ar);
        if (text.len == 0)
            continue;
        sc_jsonw_keyz(&w, sc_key_name(mi->keys[k]));
        sc_jsonw_str(&w, text);
    }
    sc_jsonw_obj_end(&w);
    sc_jsonw_keyz(&w, "count");
    sc_jsonw_int(&w, cell->count);
    if (mi->sum != SC_SUM_NONE) {
        sc_jsonw_keyz(&w, "sum");
        sc_jsonw_raw(&w, sc_sum_text(jo, cell, ar));
        sc_jsonw_keyz(&w, "unit");
        sc_jsonw_strz(&w, sc_sum_name(mi->sum));
    }
    sc_jsonw_obj_end(&w);
}
