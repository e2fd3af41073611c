/* See against.h. Each side is a list of what became of its occurrences; both are sorted by id and
 * merged, which needs no table beside them. */
#include "cli/against.h"

#include "base/assert.h"
#include "base/time.h"
#include "core/identity/identity.h"

#include <inttypes.h>
#include <stdlib.h>

/* What became of one occurrence on one side. */
struct fate {
    uint8_t id[16];
    uint32_t seq;        /* in order of arrival, to keep a sort stable */
    bool sent;
    int64_t at_ms;
    struct sc_node_id customer;
    const struct sc_str *rule, *channel; /* interned: equal names are one pointer */
    const char *reason;  /* not sent: why; NULL: cancelled */
};

struct fates {
    struct fate *v;
    size_t n, cap;
};

enum kind { SAME, NEW, LOST, MOVED, KINDS };
static const char *const kind_names[KINDS] = {"same", "new", "lost", "moved"};

/* A message sent on one side at least. */
struct difference {
    enum kind kind;
    const struct fate *was, *now; /* NULL: the occurrence is not there */
    const struct fate *shown;     /* the message itself: now's, or the lost one */
};

/* A row of the counts. */
struct tally {
    const struct sc_str *rule, *channel;
    uint64_t n[KINDS];
};

struct sc_against {
    struct sc_arena ar;
    struct fates sides[SC_AGAINST_SIDES];
    enum sc_against_side side;
    uint32_t name_hash;  /* of the new journey */
    struct sc_map names; /* text -> struct sc_str */
    SC_VEC(struct difference) differences;
    SC_VEC(struct tally) tallies;
};

struct sc_against *sc_against_create(void)
{
    struct sc_against *ag = sc_calloc(1, sizeof(*ag));
    sc_arena_init(&ag->ar);
    sc_map_init(&ag->names, &ag->ar);
    return ag;
}

void sc_against_destroy(struct sc_against *ag)
{
    for (int s = 0; s < SC_AGAINST_SIDES; s++)
        free(ag->sides[s].v);
    sc_arena_fini(&ag->ar);
    free(ag);
}

void sc_against_begin(struct sc_against *ag, enum sc_against_side side, struct sc_journey *jo)
{
    ag->side = side;
    if (side == SC_AGAINST_NEW)
        ag->name_hash = jo->hash;
    else
        jo->hash = ag->name_hash;
}

static const struct sc_str *intern(struct sc_against *ag, struct sc_str name)
{
    struct sc_str *known = sc_map_get(&ag->names, name);
    if (known == NULL) {
        known = SC_NEW(&ag->ar, struct sc_str);
        *known = sc_str_dup(&ag->ar, name);
        sc_map_put(&ag->names, name, known);
    }
    return known;
}

void sc_against_effect(struct sc_against *ag, const struct sc_journey *jo,
                       const struct sc_effect *fx)
{
    bool sent = fx->type == SC_FX_TRIGGER;
    if (!sent && fx->type != SC_FX_SUPPRESSED && fx->type != SC_FX_CANCELLED)
        return; /* a deferral is decided later, under the same id */
    SC_ASSERT(!sent || fx->channel >= 0);
    struct fates *side = &ag->sides[ag->side];
    if (side->n == side->cap) {
        side->cap = side->cap ? side->cap * 2 : 1024;
        side->v = sc_realloc(side->v, side->cap * sizeof(*side->v));
    }
    struct fate *ft = &side->v[side->n];
    *ft = (struct fate){.seq = (uint32_t)side->n, .sent = sent, .at_ms = fx->at_ms,
                        .customer = fx->customer};
    memcpy(ft->id, fx->id, sizeof(ft->id));
    ft->rule = intern(ag, fx->rule);
    if (sent)
        ft->channel = intern(ag, jo->channels[fx->channel].name);
    else if (fx->type == SC_FX_SUPPRESSED)
        ft->reason = sc_reason_name(fx->reason);
    side->n++;
}

/* ---- comparing */

/* By id; of one occurrence the message sent first, then the latest word on it. */
static int by_id(const void *va, const void *vb)
{
    const struct fate *a = va, *b = vb;
    int order = memcmp(a->id, b->id, sizeof(a->id));
    if (order != 0)
        return order;
    if (a->sent != b->sent)
        return a->sent ? -1 : 1;
    bool later = a->seq > b->seq;
    return later == a->sent ? 1 : -1;
}

/* Sorted, with the one that counts of each occurrence kept. */
static void settle(struct fates *side)
{
    if (side->n == 0)
        return;
    qsort(side->v, side->n, sizeof(*side->v), by_id);
    size_t kept = 1;
    for (size_t i = 1; i < side->n; i++)
        if (memcmp(side->v[i].id, side->v[kept - 1].id, sizeof(side->v[i].id)) != 0)
            side->v[kept++] = side->v[i];
    side->n = kept;
}

static struct tally *tally_of(struct sc_against *ag, const struct fate *ft)
{
    for (uint32_t i = 0; i < ag->tallies.n; i++) {
        struct tally *ty = &ag->tallies.v[i];
        if (ty->rule == ft->rule && ty->channel == ft->channel)
            return ty;
    }
    struct tally *ty = SC_VEC_ADD(&ag->ar, &ag->tallies);
    ty->rule = ft->rule;
    ty->channel = ft->channel;
    return ty;
}

/* One occurrence, as it went on either side. */
static void compare(struct sc_against *ag, const struct fate *was, const struct fate *now)
{
    bool before = was != NULL && was->sent, after = now != NULL && now->sent;
    if (!before && !after)
        return;
    struct difference df = {.was = was, .now = now, .shown = after ? now : was};
    if (before != after)
        df.kind = after ? NEW : LOST;
    else if (was->at_ms != now->at_ms || was->channel != now->channel)
        df.kind = MOVED;
    tally_of(ag, df.shown)->n[df.kind]++;
    if (df.kind != SAME)
        SC_VEC_PUSH(&ag->ar, &ag->differences, df);
}

static void compare_all(struct sc_against *ag)
{
    struct fates *old = &ag->sides[SC_AGAINST_OLD], *new = &ag->sides[SC_AGAINST_NEW];
    settle(old);
    settle(new);
    for (size_t o = 0, n = 0; o < old->n || n < new->n;) {
        int order = o == old->n   ? 1
                    : n == new->n ? -1
                                  : memcmp(old->v[o].id, new->v[n].id, sizeof(old->v[o].id));
        compare(ag, order <= 0 ? &old->v[o] : NULL, order >= 0 ? &new->v[n] : NULL);
        o += order <= 0;
        n += order >= 0;
    }
}

/* ---- printing */

static int by_name(const void *va, const void *vb)
{
    const struct tally *a = va, *b = vb;
    int order = sc_str_cmp(*a->rule, *b->rule);
    return order ? order : sc_str_cmp(*a->channel, *b->channel);
}

static int by_time(const void *va, const void *vb)
{
    const struct fate *a = ((const struct difference *)va)->shown;
    const struct fate *b = ((const struct difference *)vb)->shown;
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    return memcmp(a->id, b->id, sizeof(a->id));
}

static void print_row(struct sc_buf *out, struct sc_str rule, struct sc_str channel,
                      const uint64_t n[KINDS])
{
    sc_buf_addf(out, "%-28.*s %-16.*s %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 "\n",
                SC_STR_FMT(rule), SC_STR_FMT(channel), n[NEW], n[LOST], n[MOVED], n[SAME]);
}

static void print_counts(struct sc_against *ag, struct sc_buf *out)
{
    uint64_t total[KINDS] = {0};
    if (ag->tallies.n > 0)
        qsort(ag->tallies.v, ag->tallies.n, sizeof(*ag->tallies.v), by_name);
    sc_buf_addf(out, "%-28s %-16s %8s %8s %8s %8s\n", "trigger", "channel", kind_names[NEW],
                kind_names[LOST], kind_names[MOVED], kind_names[SAME]);
    for (uint32_t i = 0; i < ag->tallies.n; i++) {
        const struct tally *ty = &ag->tallies.v[i];
        print_row(out, *ty->rule, *ty->channel, ty->n);
        for (int k = 0; k < KINDS; k++)
            total[k] += ty->n[k];
    }
    print_row(out, SC_STR("all"), SC_STR(""), total);
}

static void print_time(struct sc_buf *out, int64_t ms)
{
    char text[32];
    sc_buf_add(out, text, sc_time_format(ms, text));
}

/* What the other side says of a message is why it is a difference. */
static void print_other(struct sc_buf *out, const char *side, const struct fate *other)
{
    sc_buf_addf(out, "  %s: ", side);
    if (other == NULL)
        sc_buf_addz(out, "did not come up");
    else if (!other->sent)
        sc_buf_addz(out, other->reason ? other->reason : "cancelled");
    else {
        print_time(out, other->at_ms);
        sc_buf_addf(out, " %.*s", SC_STR_FMT(*other->channel));
    }
    sc_buf_char(out, '\n');
}

static void print_difference(struct sc_buf *out, const struct difference *df)
{
    const struct fate *ft = df->shown;
    char customer[32];
    sc_node_hex(&ft->customer, customer);
    sc_buf_addf(out, "%-5s  ", kind_names[df->kind]);
    print_time(out, ft->at_ms);
    sc_buf_addf(out, "  %.*s  %.*s  %.*s", SC_STR_FMT(*ft->rule), SC_STR_FMT(*ft->channel), 32,
                customer);
    if (df->kind == LOST)
        print_other(out, "now", df->now);
    else
        print_other(out, "was", df->was);
}

bool sc_against_report(struct sc_against *ag, uint64_t limit, struct sc_buf *out)
{
    compare_all(ag);
    print_counts(ag, out);
    uint32_t n = ag->differences.n;
    if (n == 0)
        return false;
    qsort(ag->differences.v, n, sizeof(*ag->differences.v), by_time);
    if (limit > 0)
        sc_buf_char(out, '\n');
    for (uint32_t i = 0; i < n && i < limit; i++)
        print_difference(out, &ag->differences.v[i]);
    if (n > limit)
        sc_buf_addf(out, "and %" PRIu64 " more\n", n - limit);
    return true;
}
