/* Avro in: running a plan (avro_plan.h) over a record.
 *
 * The whole record is walked, also behind the last wanted field: skipping is cheap, and a record
 * cut short or with bytes left over must go to the dead letters whatever the rules read. What is
 * skipped is checked for its lengths and branches only, not for UTF-8, enum symbols or booleans. A
 * map entry that is there twice counts as the last one that is not null; a whole map keeps the last.
 *
 * Nearly every value is plain: its number or length has a byte or two, and more follows.
 * `run_plain` takes those by an offset into the record, with one comparison a value for its end.
 * All else (arrays, damage, the record's last byte) is the long way's, which takes any op at any
 * place and says what is wrong. Cost: 15 instructions a value skipped, 40 one that is read; no
 * allocation but lists, maps and texts of big decimals. */
#include "codec/avro_plan.h"
#include "codec/avro_read.h"
#include "codec/utf8.h"

#include "base/arena.h"
#include "base/assert.h"

struct avro {
    struct sc_avro_cursor c;
    const struct sc_avro_plan *plan;
    const struct sc_avro_op *at; /* op that failed */
};

static bool run_at(struct avro *a, uint32_t pc, unsigned depth);

static bool full(struct avro *a)
{
    return sc_avro_fail(&a->c, SC_DROP_SIZE, "a list is too long");
}

static bool read_value(struct avro *a, const struct sc_avro_op *op, unsigned depth)
{
    const struct sc_avro_note *note = &a->plan->notes[op - a->plan->ops];
    struct sc_value v;
    const uint8_t *start = a->c.p;
    if (!sc_avro_value(&a->c, note->type, depth, &v))
        return false;
    if (op->code == SC_AVRO_PEEK)
        a->c.p = start;
    return sc_take_put(a->c.take, note->want, v, note->array) || full(a);
}

static bool count_value(struct avro *a, const struct sc_avro_op *op)
{
    const struct sc_avro_note *note = &a->plan->notes[op - a->plan->ops];
    return sc_take_put(a->c.take, note->want, sc_bool(true), note->array) || full(a);
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
    if (own && !run_at(a, own->to, depth))
        return false;
    if (own && loop->all_wanted)
        a->c.p = start;
    return (own && !loop->all_wanted) || run_at(a, loop->all, depth);
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
    return run_at(a, a->plan->subs[sub], depth + 1) && (a->c.p != start || sc_avro_empty(&a->c));
}

static bool skip_value(struct avro *a, const struct sc_avro_skip *skip)
{
    int64_t i;
    struct sc_str bytes;
    if (skip->odd == SC_AVRO_SKIP_VARINT && !sc_avro_long(&a->c, &i))
        return false;
    if (skip->odd == SC_AVRO_SKIP_BYTES && !sc_avro_bytes(&a->c, &bytes))
        return false;
    uint32_t fixed = skip->n - (skip->odd != SC_AVRO_SKIP_FIXED);
    if ((size_t)(a->c.end - a->c.p) < fixed)
        return sc_avro_fail(&a->c, SC_DROP_TRUNCATED, "ends in a value");
    a->c.p += fixed;
    return true;
}

/* Any op but END, wherever the cursor stands; *op is then the one to go on with, or the innermost
 * that failed is told. */
static bool long_way(struct avro *a, const struct sc_avro_op **op, unsigned depth)
{
    const struct sc_avro_op *now = *op, *ops = a->plan->ops;
    uint32_t i = 0;
    bool ok = true;
    *op = now + 1;
    switch ((enum sc_avro_code)now->code) {
    case SC_AVRO_SKIP: ok = skip_value(a, &now->skip); break;
    case SC_AVRO_SKIP_UNION:
        ok = sc_avro_branch(&a->c, now->n, &i) && skip_value(a, &now->skips[i]);
        break;
    case SC_AVRO_SKIP_OPTION:
        ok = sc_avro_branch(&a->c, now->n, &i) && (2 * i == now->null || skip_value(a, &now->skip));
        break;
    case SC_AVRO_BRANCH:
        ok = sc_avro_branch(&a->c, now->n, &i);
        if (ok)
            *op = ops + now->jumps[i];
        break;
    case SC_AVRO_JUMP: *op = ops + now->n; break;
    case SC_AVRO_LOOP:
    case SC_AVRO_SKIP_LOOP:
        ok = run_loop(a, now->loop, depth);
        *op = ops + now->loop->after;
        break;
    case SC_AVRO_CALL: ok = run_call(a, now->n, depth); break;
    case SC_AVRO_READ:
    case SC_AVRO_READ_INT:
    case SC_AVRO_READ_LONG:
    case SC_AVRO_READ_MILLIS:
    case SC_AVRO_READ_DOUBLE:
    case SC_AVRO_READ_BOOL:
    case SC_AVRO_READ_STRING:
    case SC_AVRO_PEEK: ok = read_value(a, now, depth); break;
    case SC_AVRO_MET: ok = count_value(a, now); break;
    case SC_AVRO_END: SC_UNREACHABLE("an end is nobody's value");
    }
    if (!ok)
        a->at = a->at ? a->at : now;
    return ok;
}

/* The plain forms. Each takes what stands at body[*at] (there is a byte) and moves to the next
 * value; past `n` when this one is cut short. False: it is not plain, and nothing was done. */

/* A number of more than two bytes, a time mostly, or a text with such a length: where what follows
 * stands, or 0. */
static __attribute__((noinline)) size_t long_skip(const struct sc_avro_skip *skip,
                                                  const uint8_t *body, size_t at, size_t n)
{
    uint64_t u;
    if (!sc_varint_plain(body, &at, n, &u) || (u & skip->odd & 1))
        return 0;
    u = skip->mask ? u >> 1 : 0;
    return u > n ? 0 : at + (size_t)u + skip->n - 1;
}

static inline bool plain_skip(const struct sc_avro_skip *skip, const uint8_t *body, size_t *at,
                              size_t n)
{
    uint32_t first = body[*at];
    if (first & skip->odd) {
        if ((first & skip->odd) != 0x80 || n - *at < 2 || body[*at + 1] >= 0x80) {
            size_t next = long_skip(skip, body, *at, n);
            *at = next ? next : *at;
            return next != 0;
        }
        first = (first & 0x7f) | (uint32_t)body[++*at] << 7;
    }
    *at += (size_t)skip->n + ((first & skip->mask) >> 1);
    return true;
}

static inline bool plain_option(const struct sc_avro_op *op, const uint8_t *body, size_t *at,
                                size_t n)
{
    size_t value = *at + 1;
    if (body[*at] != op->null && (body[*at] != (op->null ^ 2) || value >= n ||
                                  !plain_skip(&op->skip, body, &value, n)))
        return false;
    *at = value;
    return true;
}

static inline bool plain_branch(const struct sc_avro_op *op, const uint8_t *body, size_t *at,
                                uint32_t *pc)
{
    uint32_t branch = body[*at];
    if ((branch & 0x81) || branch >> 1 >= op->n)
        return false;
    *pc = op->jumps[branch >> 1];
    ++*at;
    return true;
}

static inline bool plain_string(const uint8_t *body, size_t *at, size_t n, struct sc_value *out)
{
    size_t start = *at + 1;
    uint64_t len = body[*at];
    if (len & 0x81) {
        start = *at;
        if (!sc_varint_plain(body, &start, n, &len) || (len & 1))
            return false;
    }
    struct sc_str s = {(const char *)body + start, (size_t)(len >> 1)};
    if (n - start < s.len || !sc_utf8_ok(s))
        return false;
    sc_slot_text(out, s);
    *at = start + s.len;
    return true;
}

static inline bool plain_long(const uint8_t *body, size_t *at, size_t n, enum sc_type type,
                              struct sc_value *out)
{
    uint64_t u;
    if (!sc_varint_plain(body, at, n, &u))
        return false;
    sc_slot_set(out, type, 0, (uint64_t)sc_zigzag(u));
    return true;
}

static inline bool plain_int(const uint8_t *body, size_t *at, size_t n, struct sc_value *out)
{
    size_t behind = *at;
    uint64_t u;
    if (!sc_varint_plain(body, &behind, n, &u) || u > UINT32_MAX)
        return false;
    sc_slot_set(out, SC_T_INT, 0, (uint64_t)sc_zigzag(u));
    *at = behind;
    return true;
}

static inline bool plain_bool(const uint8_t *body, size_t *at, struct sc_value *out)
{
    if (body[*at] > 1)
        return false;
    sc_slot_set(out, SC_T_BOOL, 0, body[*at]);
    ++*at;
    return true;
}

/* Blocks that do not say their size, to the empty one. */
static inline bool plain_loop(const struct sc_avro_loop *loop, const uint8_t *body, size_t *at,
                              size_t n)
{
    static const struct sc_avro_skip key = {SC_AVRO_SKIP_BYTES, 1, UINT32_MAX - 1};
    size_t value = *at;
    for (;;) {
        uint64_t left;
        if (value >= n || !sc_varint_plain(body, &value, n, &left) || (left & 1))
            return false;
        if (left == 0)
            break;
        for (left >>= 1; left > 0; left--) { /* each a byte or more: the record bounds them */
            if (loop->map && (value >= n || !plain_skip(&key, body, &value, n)))
                return false;
            if (value >= n || !plain_skip(&loop->each, body, &value, n))
                return false;
        }
    }
    *at = value;
    return true;
}

/* The ops that are not asked for first. */
static inline bool plain_other(const struct sc_avro_op *op, const uint8_t *body, size_t *at,
                               size_t n, struct sc_value *slots)
{
    switch ((enum sc_avro_code)op->code) {
    case SC_AVRO_SKIP_OPTION: return plain_option(op, body, at, n);
    case SC_AVRO_READ_INT: return plain_int(body, at, n, &slots[op->n]);
    case SC_AVRO_READ_LONG: return plain_long(body, at, n, SC_T_INT, &slots[op->n]);
    case SC_AVRO_READ_MILLIS: return plain_long(body, at, n, SC_T_TIMESTAMP, &slots[op->n]);
    case SC_AVRO_READ_DOUBLE: return sc_slot_double(body, at, n, &slots[op->n]);
    case SC_AVRO_READ_BOOL: return plain_bool(body, at, &slots[op->n]);
    case SC_AVRO_READ_STRING:
    case SC_AVRO_SKIP:
    case SC_AVRO_BRANCH:
    case SC_AVRO_JUMP:
    case SC_AVRO_END:
    case SC_AVRO_SKIP_UNION:
    case SC_AVRO_LOOP:
    case SC_AVRO_SKIP_LOOP:
    case SC_AVRO_CALL:
    case SC_AVRO_READ:
    case SC_AVRO_PEEK:
    case SC_AVRO_MET: break;
    }
    return false;
}

/* Ops while their values are plain and the record goes on: the one that is not, or END. What most
 * values are is asked first. */
static const struct sc_avro_op *run_plain(const struct sc_avro_plan *plan,
                                          const struct sc_avro_op *op, struct sc_str record,
                                          struct sc_value *slots, size_t *place)
{
    const uint8_t *body = (const uint8_t *)record.p;
    const size_t n = record.len;
    size_t at = *place;
    uint32_t pc;
    while (at < n) {
        if (op->code == SC_AVRO_SKIP) {
            if (!plain_skip(&op->skip, body, &at, n))
                break;
            op++;
        } else if (op->code == SC_AVRO_READ_STRING) {
            if (!plain_string(body, &at, n, &slots[op->n]))
                break;
            op++;
        } else if (op->code == SC_AVRO_BRANCH) {
            if (!plain_branch(op, body, &at, &pc))
                break;
            op = plan->ops + pc;
        } else if (op->code == SC_AVRO_JUMP) {
            op = plan->ops + op->n;
        } else if (op->code == SC_AVRO_SKIP_LOOP) {
            if (!plain_loop(op->loop, body, &at, n))
                break;
            op = plan->ops + op->loop->after;
        } else {
            if (!plain_other(op, body, &at, n, slots))
                break;
            op++;
        }
    }
    *place = at;
    return op;
}

static bool run(struct avro *a, const struct sc_avro_op *op, size_t at, unsigned depth)
{
    const struct sc_str record = {(const char *)a->c.begin, (size_t)(a->c.end - a->c.begin)};
    for (;;) {
        op = run_plain(a->plan, op, record, a->c.take->slots, &at);
        a->c.p = at < record.len ? a->c.begin + at : a->c.end;
        if (at > record.len) { /* the op before: it passed over its value without a look at the end */
            a->at = op - 1;
            return sc_avro_fail(&a->c, SC_DROP_TRUNCATED, "ends in a value");
        }
        if (op->code == SC_AVRO_END)
            return true;
        if (!long_way(a, &op, depth))
            return false;
        at = (size_t)(a->c.p - a->c.begin);
    }
}

/* The ops from `pc` to their END, at the cursor. */
static bool run_at(struct avro *a, uint32_t pc, unsigned depth)
{
    return run(a, a->plan->ops + pc, (size_t)(a->c.p - a->c.begin), depth);
}

/* From `op` on, which is not plain, or END in the wrong place. */
static enum sc_drop decode_on(const struct sc_avro_plan *plan, const struct sc_avro_op *op,
                              size_t at, struct sc_str body, struct sc_take *take)
{
    const uint8_t *p = (const uint8_t *)body.p;
    struct avro a = {.plan = plan, .c = {.begin = p, .end = p + body.len, .take = take,
                                         .empty_left = SC_AVRO_EMPTY_MAX}};
    if (run(&a, op, at, 0) && a.c.p == a.c.end) {
        sc_take_finish(take);
        return SC_DROP_NONE;
    }
    if (a.c.drop == SC_DROP_NONE)
        sc_avro_fail(&a.c, SC_DROP_TRAILING, "more follows the record");
    struct sc_str path = a.at ? plan->notes[a.at - plan->ops].path : SC_STR("$");
    return sc_fault_set(take->fault, a.c.drop, path,
                        "%s, at byte %zu of %zu", a.c.what, (size_t)(a.c.p - p), body.len);
}

static enum sc_drop avro_decode(const struct sc_decoder *d, struct sc_str body,
                                struct sc_arena *ar, struct sc_value *slots,
                                struct sc_fault *fault)
{
    const struct sc_avro_plan *plan = (const struct sc_avro_plan *)(const void *)d;
    size_t at = 0;
    sc_slots_clear(slots, d->tree);
    const struct sc_avro_op *op = run_plain(plan, plan->ops, body, slots, &at);
    if (op->code == SC_AVRO_END && at == body.len && d->tree->n_lists == 0)
        return SC_DROP_NONE;
    struct sc_take take = sc_take_start(d->tree, ar, slots, fault);
    return decode_on(plan, op, at, body, &take);
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
