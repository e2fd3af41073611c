/* The real workers on the broker and the view in memory, against `simulate` on the same events.
 *
 * Each seed makes some hundred events of a few people, spreads them over the partitions of two
 * sources, some twice, and plays them to resolve and journey workers: in peace, or under aborts,
 * commits of unknown outcome, kills, members that come and go, and a Redis that is down, mute or
 * wiped. Afterwards what a read_committed reader finds must be what one process without any server
 * says, and the logs must keep the protocol's promises (reliability.md I1-I4, I9, I12, I14, I16).
 *
 * Odd seeds: people are merged as their identifiers meet, in whatever order that is; identity,
 * facts, milestones and what each event causes alone are compared. Even seeds: one identifier
 * each, and `reorder`: every effect is compared, to the byte. Every fourth seed, an odd one: of its
 * journey most events pass by (docs/adr/0023).
 *
 *   prop_engine               as many seeds as fit into the time
 *   prop_engine SEED [COUNT]  these, to the end */
#include "../lib/engine_bed.h"

#include "base/assert.h"

/* ---- what the logs say */

struct fold {
    struct bed *b;
    uint32_t part, chunks;
    uint64_t images;
};

static void check_seal(struct bed *b, uint32_t part, const struct sc_seal *seal, int64_t offset)
{
    const struct sc_seal *last = &b->seals[part];
    if (seal->seq != last->seq + 1)
        fail(b, "partition %u: seal %llu follows %llu", part, (unsigned long long)seal->seq,
             (unsigned long long)last->seq);
    if (last->seq && (seal->incarnation != last->incarnation || seal->next < last->next ||
                      seal->watermark_ms < last->watermark_ms))
        fail(b, "partition %u: seal %llu goes back", part, (unsigned long long)seal->seq);
    if (seal->partitions != JOURNAL_PARTS)
        fail(b, "partition %u: another P", part);
    b->seals[part] = *seal;
    b->seal_at[part] = offset;
}

static bool fold_record(void *arg, const struct sc_msg *m)
{
    struct fold *f = arg;
    struct sc_seal_reader rd;
    struct sc_image im;
    if (!sc_seal_open(&rd, m->value, &f->b->ar) || rd.chunk != f->chunks)
        fail(f->b, "partition %u: torn at %lld", f->part, (long long)m->offset);
    while (sc_seal_next(&rd, &im) == 1) {
        sc_cache_put(&f->b->states[f->part], &im.node, im.state, 0);
        f->images++;
    }
    f->chunks++;
    if (!rd.is_seal)
        return true;
    if (rd.seal.count != f->images)
        fail(f->b, "partition %u: a seal of %llu images over %llu", f->part,
             (unsigned long long)rd.seal.count, (unsigned long long)f->images);
    check_seal(f->b, f->part, &rd.seal, m->offset);
    f->chunks = 0;
    f->images = 0;
    return true;
}

/* I1, I2: seals count; the group's offsets and metadata are the last seal's. */
static void check_offsets(struct bed *b)
{
    static const char *const journal[] = {"journal"};
    struct sc_broker_log_config cfg = {"journey", "probe", journal, 1, &b->cfg.topics};
    struct sc_log *lg = sc_broker_log_create(b->broker, &cfg);
    struct sc_tp tps[JOURNAL_PARTS];
    struct sc_meta meta;
    for (uint32_t p = 0; p < JOURNAL_PARTS; p++) {
        struct fold f = {.b = b, .part = p};
        sc_broker_read(b->broker, "state", (int32_t)p, 0, fold_record, &f);
        tps[p] = (struct sc_tp){.partition = (int32_t)p};
    }
    lg->ops->committed(lg, tps, JOURNAL_PARTS, 0, &b->ar);
    for (uint32_t p = 0; p < JOURNAL_PARTS; p++) {
        if (!sc_meta_parse(tps[p].metadata, &meta))
            fail(b, "partition %u: no metadata", p);
        if (meta.seq != b->seals[p].seq || meta.seal != b->seal_at[p] ||
            tps[p].offset != b->seals[p].next || meta.incarnation != b->seals[p].incarnation)
            fail(b, "partition %u: the offsets name seal %llu at %lld, the log has %llu at %lld", p,
                 (unsigned long long)meta.seq, (long long)meta.seal,
                 (unsigned long long)b->seals[p].seq, (long long)b->seal_at[p]);
    }
    lg->ops->close(lg);
}

/* I4: after a drain the view holds what the log holds. */
static void check_view(struct bed *b)
{
    struct sc_view *vw = sc_memview_open(b->view);
    for (uint32_t p = 0; p < JOURNAL_PARTS; p++) {
        struct sc_cache_slot *slot;
        for (uint64_t at = 0; (slot = sc_cache_next(&b->states[p], &at)) != NULL;) {
            struct sc_view_item it = {.node = slot->node};
            struct sc_stamp stamp;
            vw->ops->read(vw, p, &stamp, &it, 1);
            if (stamp.incarnation != b->seals[p].incarnation)
                break; /* wiped, and nobody has had to ask since */
            if (!sc_str_eq(it.state, sc_cache_state(slot)))
                fail(b, "partition %u: the view, at %lld, is not the log's, at %lld", p,
                     (long long)stamp.offset, (long long)b->seal_at[p]);
        }
    }
    vw->ops->close(vw);
}

struct trailers {
    struct bed *b;
    struct { uint64_t boot, k; } v[512];
    uint32_t n;
};

static bool read_trailers(void *arg, const struct sc_msg *m)
{
    struct trailers *t = arg;
    struct sc_frame_reader rd;
    struct sc_frame_item it;
    if (!sc_frame_open(&rd, t->b->project.journey, m->value, &t->b->ar))
        fail(t->b, "journal offset %lld is no frame", (long long)m->offset);
    while (sc_frame_next(&rd, &it) == 1) {
        uint32_t i = 0;
        if (it.kind != SC_REC_TRAILER)
            continue;
        while (i < t->n && t->v[i].boot != it.trailer.boot)
            i++;
        if (i == t->n)
            t->v[t->n++].boot = it.trailer.boot;
        if (++t->v[i].k != it.trailer.k)
            fail(t->b, "trailer %llu is missing", (unsigned long long)t->v[i].k); /* I16 */
    }
    return true;
}

static int by_text(const void *a, const void *b)
{
    return sc_str_cmp(*(const struct sc_str *)a, *(const struct sc_str *)b);
}

static void sort(struct lines *ls)
{
    if (ls->v.n)
        qsort(ls->v.v, ls->v.n, sizeof(*ls->v.v), by_text);
}

/* Every customer, from the fold of the state log, as of the end of simulate. */
static void gather_customers(struct bed *b)
{
    const struct sc_journey *jo = b->project.journey;
    for (uint32_t p = 0; p < JOURNAL_PARTS; p++) {
        struct sc_cache_slot *slot;
        for (uint64_t at = 0; (slot = sc_cache_next(&b->states[p], &at)) != NULL;) {
            struct sc_state *st = slot->bytes
                ? sc_state_decode(jo, slot->node, sc_cache_state(slot), &b->ar) : NULL;
            struct sc_buf line = {0};
            if (st == NULL)
                fail(b, "a state cannot be read");
            if (st->kind != SC_STATE_ROOT || st->n_events == 0)
                continue;
            int64_t now = st->last_ms > b->world_ms ? st->last_ms : b->world_ms;
            sc_state_customer_json(jo, st, now, NULL, NULL, &line);
            push(b, &b->run_customers, sc_buf_view(&line));
            sc_buf_fini(&line);
        }
    }
    sort(&b->run_customers);
}

struct compacted {
    struct bed *b;
    struct sc_map last; /* customer -> its last line, empty: withdrawn */
    uint32_t n;
};

static bool compact(void *arg, const struct sc_msg *m)
{
    struct compacted *c = arg;
    struct sc_str *line = sc_map_get(&c->last, m->key);
    if (line == NULL) {
        line = SC_NEW(&c->b->ar, struct sc_str);
        sc_map_put(&c->last, m->key, line);
    }
    c->n += m->value.len > 0;
    c->n -= line->len > 0;
    *line = m->value.len ? sc_str_dup(&c->b->ar, m->value) : SC_STR_NULL;
    return true;
}

/* A line up to its facts, which are as of when it was written. */
static struct sc_str timeless(struct sc_str line)
{
    const char *facts = memmem(line.p, line.len, "\"facts\":", 8);
    return (struct sc_str){line.p, facts ? (size_t)(facts - line.p) : 0};
}

/* The customers topic, compacted, is the customers: no more, no less, as they are now. */
static void check_customers_topic(struct bed *b)
{
    struct compacted c = {.b = b};
    sc_map_init(&c.last, &b->ar);
    for (int32_t p = 0; p < sc_broker_partitions(b->broker, "customers"); p++)
        sc_broker_read(b->broker, "customers", p, 0, compact, &c);
    if (c.n != b->run_customers.v.n)
        fail(b, "the customers topic has %u, the state log %u", c.n, b->run_customers.v.n);
    for (uint32_t i = 0; i < b->run_customers.v.n; i++) {
        struct sc_str line = b->run_customers.v.v[i];
        const struct sc_str *last = sc_map_get(&c.last, (struct sc_str){line.p + 7, 32});
        if (last == NULL || !sc_str_eq(timeless(*last), timeless(line)))
            fail(b, "the customers topic is not up to date:\n  state  %.*s\n  topic  %.*s",
                 SC_STR_FMT(line), last ? (int)last->len : 0, last ? last->p : "");
    }
}

static bool no_dead_letter(void *arg, const struct sc_msg *m)
{
    fail(arg, "dead letter: %.*s", SC_STR_FMT(m->value));
}

static bool gather_effect(void *arg, const struct sc_msg *m)
{
    struct bed *b = arg;
    if (!is_audit(m->value))
        push(b, &b->run_effects, m->value);
    return true;
}

static void gather_effects(struct bed *b)
{
    for (uint32_t t = SC_OUT_TRANSITIONS; t < b->cfg.topics.n; t++) {
        if (t == SC_OUT_CUSTOMERS || t == SC_OUT_IDENTITY || t == SC_OUT_DEAD_LETTERS ||
            t == SC_OUT_ANALYTICS)
            continue;
        const char *name = b->cfg.topics.v[t].name.p;
        for (int32_t p = 0; p < sc_broker_partitions(b->broker, name); p++)
            sc_broker_read(b->broker, name, p, 0, gather_effect, b);
    }
    sort(&b->run_effects);
}

/* ---- analytics: what the transactions added, added up */

struct totals {
    struct bed *b;
    struct sc_map cells; /* a record up to its count -> struct total */
    SC_VEC(struct total {
        struct sc_str cell;
        int64_t count;
        struct sc_decimal sum;
    } *) v;
};

/* What does not depend on the order of arrival. */
static bool settled(struct sc_str record)
{
    static const char *const names[] = {"customers", "active", "retention", "buyers",
                                        "repeat_value"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char text[40];
        int n = snprintf(text, sizeof(text), "\"metric\":\"%s\"", names[i]);
        if (memmem(record.p, record.len, text, (size_t)n))
            return true;
    }
    return false;
}

static bool add_record(void *arg, const struct sc_msg *m)
{
    struct totals *t = arg;
    const char *count = memmem(m->value.p, m->value.len, ",\"count\":", 9);
    const char *sum = memmem(m->value.p, m->value.len, ",\"sum\":", 7);
    if (!t->b->ordered && !settled(m->value))
        return true;
    struct sc_str cell = sc_str_dup(&t->b->ar, (struct sc_str){m->value.p,
                                                               (size_t)(count - m->value.p)});
    struct total *to = sc_map_get(&t->cells, cell);
    if (to == NULL) {
        to = SC_NEW(&t->b->ar, struct total);
        to->cell = cell;
        sc_map_put(&t->cells, cell, to);
        SC_VEC_PUSH(&t->b->ar, &t->v, to);
    }
    to->count += strtoll(count + 9, NULL, 10);
    struct sc_decimal d = {0, 0};
    size_t n = sum ? strcspn(sum + 7, ",}") : 0;
    if (n && sc_decimal_parse((struct sc_str){sum + 7, n}, 6, &d) != SC_DECIMAL_OK)
        fail(t->b, "no sum: %.*s", SC_STR_FMT(m->value));
    bool fits = sc_decimal_add(to->sum, d, &to->sum);
    SC_ASSERT(fits);
    return true;
}

static void total_lines(struct totals *t, struct lines *to)
{
    for (uint32_t i = 0; i < t->v.n; i++) {
        char sum[24];
        const struct total *c = t->v.v[i];
        if (c->count == 0 && c->sum.units == 0)
            continue;
        push(t->b, to, sc_str_printf(&t->b->ar, "%.*s %lld %.*s", SC_STR_FMT(c->cell),
                                     (long long)c->count, (int)sc_decimal_format(c->sum, sum),
                                     sum));
    }
    sort(to);
}

static void gather_totals(struct bed *b, struct lines *told, struct lines *found)
{
    struct totals sim = {.b = b}, run = {.b = b};
    sc_map_init(&sim.cells, &b->ar);
    sc_map_init(&run.cells, &b->ar);
    uint32_t n;
    const struct sc_cell *cells = sc_cube_cells(&b->cells, &b->ar, &n);
    for (uint32_t i = 0; i < n; i++) {
        struct sc_buf line = {.ar = &b->ar};
        sc_cell_json(b->project.journey, &cells[i], &b->ar, &line);
        add_record(&sim, &(struct sc_msg){.value = sc_buf_view(&line)});
    }
    for (int32_t p = 0; p < sc_broker_partitions(b->broker, "analytics"); p++)
        sc_broker_read(b->broker, "analytics", p, 0, add_record, &run);
    total_lines(&sim, told);
    total_lines(&run, found);
}

/* ---- comparison */

/* A customer's line without what the order of arrival may change: former ids, the stage. */
static struct sc_str ordered_out(struct bed *b, struct sc_str line)
{
    const char *former = memmem(line.p, line.len, "\"former_ids\"", 12);
    const char *members = memmem(line.p, line.len, "\"members\"", 9);
    const char *stage = memmem(line.p, line.len, "\"stage\"", 7);
    const char *milestones = memmem(line.p, line.len, "\"milestones\"", 12);
    if (former == NULL || members == NULL || stage == NULL || milestones == NULL)
        fail(b, "a customer's line has changed: %.*s", SC_STR_FMT(line));
    return sc_str_printf(&b->ar, "%.*s%.*s%.*s", (int)(former - line.p), line.p,
                         (int)(stage - members), members, (int)(line.p + line.len - milestones),
                         milestones);
}

/* The event behind a message that one event causes alone, whoever its customer was then. */
static void keep_thanks(struct bed *b, struct lines *ls)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < ls->v.n; i++) {
        struct sc_str line = ls->v.v[i];
        const char *events = memmem(line.p, line.len, "\"events\":[", 10);
        if (events && memmem(line.p, line.len, "\"rule\":\"thanks\"", 15))
            ls->v.v[n++] = sc_str_printf(&b->ar, "%.*s %.*s", 20, line.p, 18, events);
    }
    ls->v.n = n;
    sort(ls);
}

static void compare(struct bed *b, const char *what_lines, const struct lines *want,
                    const struct lines *got)
{
    for (uint32_t i = 0; i < want->v.n || i < got->v.n; i++) {
        struct sc_str w = i < want->v.n ? want->v.v[i] : SC_STR("(none)");
        struct sc_str g = i < got->v.n ? got->v.v[i] : SC_STR("(none)");
        if (!sc_str_eq(w, g))
            fail(b, "%s: %u expected, %u found; the first that differs:\n  simulate %.*s\n  "
                 "run      %.*s", what_lines, want->v.n, got->v.n, SC_STR_FMT(w), SC_STR_FMT(g));
    }
}

static void check_ids(struct bed *b)
{
    struct sc_map ids;
    sc_map_init(&ids, &b->ar);
    for (uint32_t i = 0; i < b->run_effects.v.n; i++) {
        struct sc_str line = b->run_effects.v.v[i];
        const char *id = memmem(line.p, line.len, "\"id\":\"", 6);
        if (!sc_str_starts(line, SC_STR("{\"type\":\"trigger\"")) || id == NULL)
            continue;
        b->triggers++;
        if (sc_map_put(&ids, (struct sc_str){id, 38}, b)) /* I12 */
            fail(b, "sent twice: %.*s", SC_STR_FMT(line));
    }
}

static void check(struct bed *b)
{
    check_offsets(b);
    check_view(b);
    for (uint32_t p = 0; p < JOURNAL_PARTS; p++) {
        struct trailers *t = sc_arena_zalloc(&b->ar, sizeof(*t));
        t->b = b;
        sc_broker_read(b->broker, "journal", (int32_t)p, 0, read_trailers, t);
    }
    gather_customers(b);
    check_customers_topic(b);
    sc_broker_read(b->broker, "dead-letters", 0, 0, no_dead_letter, b);
    gather_effects(b);
    check_ids(b);
    for (uint32_t i = 0; !b->ordered && i < b->customers.v.n; i++)
        b->customers.v.v[i] = ordered_out(b, b->customers.v.v[i]);
    for (uint32_t i = 0; !b->ordered && i < b->run_customers.v.n; i++)
        b->run_customers.v.v[i] = ordered_out(b, b->run_customers.v.v[i]);
    compare(b, "customers", &b->customers, &b->run_customers);
    if (!b->ordered) {
        keep_thanks(b, &b->effects);
        keep_thanks(b, &b->run_effects);
    }
    sort(&b->effects);
    compare(b, "effects", &b->effects, &b->run_effects);
    struct lines told = {0}, found = {0};
    gather_totals(b, &told, &found);
    compare(b, "analytics", &told, &found);
    SC_ASSERT(b->by_name || told.v.n > 3);
}

/* ---- one seed */

static uint64_t run_seed(uint64_t seed)
{
    struct bed *b = bed_create(seed);
    simulate(b);
    play(b);
    check(b);
    uint64_t triggers = b->triggers;
    bed_destroy(b);
    return triggers;
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : argc > 1 ? 1 : UINT64_MAX;
    int64_t until = sc_time_mono_ms() + BUDGET_MS;
    uint64_t done = 0, triggers = 0;
    sc_log_setup(argc > 1 ? SC_LOG_INFO : SC_LOG_ERROR, SC_LOG_LOGFMT);
    for (; done < count && (argc > 1 || sc_time_mono_ms() < until); done++)
        triggers += run_seed(first + done);
    printf("%llu seeds, %llu triggers\n", (unsigned long long)done, (unsigned long long)triggers);
    return triggers == 0 && argc == 1;
}
