/* Avro in: running a plan (avro_plan.h) over a record.
 *
 * The whole record is walked, also behind the last wanted field: skipping is cheap, and a record cut
 * short or with bytes left over must go to the dead letters whatever the rules read. What is skipped
 * is checked for its lengths and branches only, not for UTF-8, enum symbols or booleans. A map entry
 * that is there twice counts as the last one that is not null; a whole map keeps the last.
 * Cost: a few nanoseconds an op; no allocation but lists, maps and texts of big decimals. */
#include "codec/avro_plan.h"
#include "codec/avro_read.h"
#include "codec/utf8.h"

#include "base/arena.h"
#include "base/assert.h"

#include <endian.h>

struct avro {
    struct sc_avro_cursor c;
    const struct sc_avro_plan *plan;
    const struct sc_avro_op *at; /* op that failed */
};

static bool run(struct avro *a, uint32_t pc, unsigned depth);

static inline enum sc_drop skip_fixed(const uint8_t **p, const uint8_t *end, uint32_t n)
{
    if ((size_t)(end - *p) < n)
        return SC_DROP_TRUNCATED;
    *p += n;
    return SC_DROP_NONE;
}

static inline enum sc_drop skip_varints(const uint8_t **p, const uint8_t *end, uint32_t n)
{
    uint64_t u;
    enum sc_drop drop = SC_DROP_NONE;
    for (; n > 0 && drop == SC_DROP_NONE; n--)
        drop = sc_varint(p, end, &u);
    return drop;
}

static inline enum sc_drop skip_bytes(const uint8_t **p, const uint8_t *end, uint32_t n)
{
    for (; n > 0; n--) {
        uint64_t u;
        enum sc_drop drop = sc_varint(p, end, &u);
        if (drop != SC_DROP_NONE)
            return drop;
        if (u & 1)
            return SC_DROP_MALFORMED;
        if ((uint64_t)(end - *p) < u >> 1)
            return SC_DROP_TRUNCATED;
        *p += u >> 1;
    }
    return SC_DROP_NONE;
}

static inline enum sc_drop read_long(const uint8_t **p, const uint8_t *end, enum sc_type type,
                                     struct sc_value *out)
{
    uint64_t u = 0;
    enum sc_drop drop = sc_varint(p, end, &u);
    *out = (struct sc_value){.type = (uint8_t)type, .i = sc_zigzag(u)};
    return drop;
}

static inline enum sc_drop read_double(const uint8_t **p, const uint8_t *end, struct sc_value *out)
{
    const uint8_t *at = *p;
    enum sc_drop drop = skip_fixed(p, end, sizeof(out->u));
    *out = (struct sc_value){.type = SC_T_DOUBLE};
    if (drop == SC_DROP_NONE) {
        memcpy(&out->u, at, sizeof(out->u));
        out->u = le64toh(out->u);
    }
    return drop;
}

static inline enum sc_drop read_string(const uint8_t **p, const uint8_t *end, struct sc_value *out)
{
    uint64_t u = 0;
    enum sc_drop drop = sc_varint(p, end, &u);
    if (drop != SC_DROP_NONE)
        return drop;
    if (u & 1)
        return SC_DROP_MALFORMED;
    if ((uint64_t)(end - *p) < u >> 1)
        return SC_DROP_TRUNCATED;
    struct sc_str s = {(const char *)*p, (size_t)(u >> 1)};
    *p += s.len;
    *out = sc_string(s);
    return sc_utf8_ok(s) ? SC_DROP_NONE : SC_DROP_UTF8;
}

static inline enum sc_drop skip(const uint8_t **p, const uint8_t *end, struct sc_avro_skip how)
{
    if (how.code == SC_AVRO_SKIP_FIXED)
        return skip_fixed(p, end, how.n);
    return how.code == SC_AVRO_SKIP_VARINTS ? skip_varints(p, end, how.n)
                                            : skip_bytes(p, end, how.n);
}

static inline enum sc_drop branch(const uint8_t **p, const uint8_t *end, uint32_t n, uint32_t *out)
{
    uint64_t u;
    enum sc_drop drop = sc_varint(p, end, &u);
    if (drop != SC_DROP_NONE)
        return drop;
    if ((u & 1) || u >> 1 >= n)
        return SC_DROP_MALFORMED;
    *out = (uint32_t)(u >> 1);
    return SC_DROP_NONE;
}

/* What was read, to the sinks of the op. */
static inline enum sc_drop hand_on(struct avro *a, const struct sc_avro_op *op,
                                   enum sc_drop drop, struct sc_value v)
{
    return drop != SC_DROP_NONE || sc_take_put(a->c.take, op->want, v, false) ? drop : SC_DROP_SIZE;
}

static bool full(struct avro *a)
{
    return sc_avro_fail(&a->c, SC_DROP_SIZE, "a list is too long");
}

static bool read_value(struct avro *a, const struct sc_avro_op *op, unsigned depth)
{
    struct sc_value v;
    const uint8_t *start = a->c.p;
    if (!sc_avro_value(&a->c, op->type, depth, &v))
        return false;
    if (op->code == SC_AVRO_PEEK)
        a->c.p = start;
    return sc_take_put(a->c.take, op->want, v, op->array) || full(a);
}

static const struct sc_avro_body *own_body(const struct sc_avro_loop *loop,
                                           const struct sc_want_node *want, uint64_t index)
{
    for (uint32_t i = 0; i < loop->n_own; i++)
        if (loop->map ? loop->own[i].want == want : loop->own[i].want->index == index)
            return &loop->own[i];
    return NULL;
}

/* One element or entry: its own body, that of all, or both. */
static bool element(struct avro *a, const struct sc_avro_loop *loop, uint64_t index,
                    unsigned depth)
{
    const struct sc_want_node *want = NULL;
    struct sc_str key;
    if (loop->map) {
        if (!sc_avro_bytes(&a->c, &key))
            return false;
        want = loop->n_own ? sc_want_field(loop->want, key) : NULL;
    }
    const struct sc_avro_body *own =
        loop->n_own && (want || !loop->map) ? own_body(loop, want, index) : NULL;
    const uint8_t *start = a->c.p;
    if (own && !run(a, own->to, depth))
        return false;
    if (own && loop->all_wanted)
        a->c.p = start;
    return (own && !loop->all_wanted) || run(a, loop->all, depth);
}

static bool run_loop(struct avro *a, const struct sc_avro_loop *loop, unsigned depth)
{
    struct sc_avro_blocks blocks = {0};
    int next;
    if (depth >= SC_DECODE_DEPTH)
        return sc_avro_fail(&a->c, SC_DROP_DEPTH, "nested too deep");
    for (uint64_t i = 0; (next = sc_avro_next(&a->c, &blocks, loop->skip)) == 1; i++)
        if (!element(a, loop, i, depth + 1))
            return false;
    return next == 0;
}

static bool run_call(struct avro *a, uint32_t sub, unsigned depth)
{
    const uint8_t *start = a->c.p;
    if (depth >= SC_DECODE_DEPTH)
        return sc_avro_fail(&a->c, SC_DROP_DEPTH, "nested too deep");
    return run(a, a->plan->subs[sub], depth + 1) && (a->c.p != start || sc_avro_empty(&a->c));
}

/* The ops that need more than the cursor. */
static bool run_op(struct avro *a, const struct sc_avro_op *op, unsigned depth)
{
    if (op->code == SC_AVRO_LOOP)
        return run_loop(a, op->loop, depth);
    if (op->code == SC_AVRO_CALL)
        return run_call(a, op->n, depth);
    if (op->code == SC_AVRO_MET)
        return sc_take_put(a->c.take, op->want, sc_bool(true), op->array) || full(a);
    return read_value(a, op, depth);
}

static const char *fault_text(enum sc_drop drop)
{
    if (drop == SC_DROP_TRUNCATED)
        return "ends in a value";
    if (drop == SC_DROP_SIZE)
        return "a list is too long";
    return drop == SC_DROP_UTF8 ? "text that is not UTF-8" : "a length or branch that cannot be";
}

static bool run(struct avro *a, uint32_t pc, unsigned depth)
{
    const struct sc_avro_op *ops = a->plan->ops;
    const uint8_t *p = a->c.p, *end = a->c.end;
    enum sc_drop drop = SC_DROP_NONE;
    struct sc_value v;
    uint32_t i = 0;
    for (;;) {
        const struct sc_avro_op *op = &ops[pc++];
        switch ((enum sc_avro_code)op->code) {
        case SC_AVRO_END:
            a->c.p = p;
            return true;
        case SC_AVRO_SKIP_FIXED: drop = skip_fixed(&p, end, op->n); break;
        case SC_AVRO_SKIP_VARINTS: drop = skip_varints(&p, end, op->n); break;
        case SC_AVRO_SKIP_BYTES: drop = skip_bytes(&p, end, op->n); break;
        case SC_AVRO_SKIP_UNION:
            drop = branch(&p, end, op->n, &i);
            if (drop == SC_DROP_NONE)
                drop = skip(&p, end, op->skips[i]);
            break;
        case SC_AVRO_BRANCH:
            drop = branch(&p, end, op->n, &i);
            if (drop == SC_DROP_NONE)
                pc = op->jumps[i];
            break;
        case SC_AVRO_JUMP: pc = op->to; break;
        case SC_AVRO_READ_LONG:
            drop = read_long(&p, end, SC_T_INT, &v);
            drop = hand_on(a, op, drop, v);
            break;
        case SC_AVRO_READ_MILLIS:
            drop = read_long(&p, end, SC_T_TIMESTAMP, &v);
            drop = hand_on(a, op, drop, v);
            break;
        case SC_AVRO_READ_DOUBLE:
            drop = read_double(&p, end, &v);
            drop = hand_on(a, op, drop, v);
            break;
        case SC_AVRO_READ_STRING:
            drop = read_string(&p, end, &v);
            drop = hand_on(a, op, drop, v);
            break;
        case SC_AVRO_LOOP:
        case SC_AVRO_CALL:
        case SC_AVRO_READ:
        case SC_AVRO_PEEK:
        case SC_AVRO_MET:
            a->c.p = p;
            if (!run_op(a, op, depth)) {
                a->at = a->at ? a->at : op;
                return false;
            }
            p = a->c.p;
            if (op->code == SC_AVRO_LOOP)
                pc = op->to;
            break;
        }
        if (drop != SC_DROP_NONE) {
            a->at = op;
            a->c.p = p;
            return sc_avro_fail(&a->c, drop, fault_text(drop));
        }
    }
}

static enum sc_drop avro_decode(const struct sc_decoder *d, struct sc_str body,
                                struct sc_take *take)
{
    const struct sc_avro_plan *plan = (const struct sc_avro_plan *)(const void *)d;
    const uint8_t *p = (const uint8_t *)body.p;
    struct avro a = {.plan = plan, .c = {.p = p, .begin = p, .end = p + body.len, .take = take,
                                         .empty_left = SC_AVRO_EMPTY_MAX}};
    if (run(&a, 0, 0) && a.c.p == a.c.end)
        return SC_DROP_NONE;
    if (a.c.drop == SC_DROP_NONE)
        sc_avro_fail(&a.c, SC_DROP_TRAILING, "more follows the record");
    return sc_fault_set(take->fault, a.c.drop, a.at ? a.at->path : SC_STR("$"),
                        "%s, at byte %zu of %zu", a.c.what, (size_t)(a.c.p - a.c.begin), body.len);
}

const struct sc_decoder *sc_avro_decoder(const struct sc_schema_source *schema,
                                         const struct sc_projection *want, struct sc_arena *ar,
                                         struct sc_str *why)
{
    const struct sc_avro_schema *parsed = sc_avro_schema_parse(schema, ar, why);
    struct sc_avro_plan *plan = parsed ? sc_avro_plan_compile(parsed, want, ar, why) : NULL;
    if (plan == NULL)
        return NULL;
    SC_ASSERT(plan->n_ops > 0);
    plan->base.decode = avro_decode;
    return &plan->base;
}
