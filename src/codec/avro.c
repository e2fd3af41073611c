/* Avro in: running a plan (avro_plan.h) over a record.
 *
 * The whole record is walked, also behind the last wanted field: skipping is cheap, and a record
 * cut short or with bytes left over must go to the dead letters whatever the rules read. What is
 * skipped is checked for its lengths and branches only, not for UTF-8, enum symbols or booleans. A
 * map entry that is there twice counts as the last one that is not null; a whole map keeps the last.
 *
 * An op is taken in the first of three ways that can:
 *
 *     plain     lengths of a byte or two, numbers of up to eight, ASCII, and more follows: nearly
 *               all. `run_plain` jumps from an op's code to the next one's, keeps its place in
 *               registers (it calls nothing), and compares once a value with the record's end
 *     large     longer lengths, other text, arrays that nobody wants: a call each
 *     long way  anything at any place, the record's last bytes and damage too; says what is wrong
 *
 * Cost: 15 instructions a value skipped, 31 one that is read; no allocation but lists, maps and
 * texts of big decimals. */
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

/* Where a run is: what it does next, and with which byte. */
struct place {
    const struct sc_avro_op *op;
    size_t at;
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

static bool skip_numbers(struct avro *a, const struct sc_avro_op *op)
{
    int64_t i;
    for (uint32_t k = 1; k < op->n; k++)
        if (!sc_avro_long(&a->c, &i))
            return false;
    return skip_value(a, &op->skip);
}

/* Any op but END, wherever the cursor stands; *op is then the one to go on with, or the innermost
 * that failed is told. */
static bool long_way(struct avro *a, const struct sc_avro_op **op, unsigned depth)
{
    const struct sc_avro_op *now = *op;
    uint32_t i = 0;
    bool ok = true;
    *op = now + 1;
    switch ((enum sc_avro_code)now->code) {
    case SC_AVRO_SKIP: ok = skip_value(a, &now->skip); break;
    case SC_AVRO_SKIP_NUMBERS: ok = skip_numbers(a, now); break;
    case SC_AVRO_SKIP_UNION:
        ok = sc_avro_branch(&a->c, now->n, &i) && skip_value(a, &now->skips[i]);
        break;
    case SC_AVRO_SKIP_OPTION:
        ok = sc_avro_branch(&a->c, now->n, &i) && (2 * i == now->null || skip_value(a, &now->skip));
        break;
    case SC_AVRO_BRANCH:
        ok = sc_avro_branch(&a->c, now->n, &i);
        if (ok)
            *op = now + now->jumps[i];
        break;
    case SC_AVRO_JUMP: *op = now + now->n; break;
    case SC_AVRO_LOOP:
    case SC_AVRO_SKIP_LOOP:
        ok = run_loop(a, now->loop, depth);
        *op = now + now->loop->after;
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

static inline bool plain_skip(const struct sc_avro_skip *skip, const uint8_t *body, size_t *at,
                              size_t n)
{
    uint32_t first = body[*at];
    if (first & skip->odd) {
        if ((first & 1 && skip->mask) || n - *at < 2 || body[*at + 1] >= 0x80)
            return false;
        first = (first & 0x7f) | (uint32_t)body[++*at] << 7;
    }
    *at += (size_t)skip->n + ((first & skip->mask) >> 1);
    return true;
}

/* Numbers in a row, by the last one's last byte: a number's last has no top bit. */
static inline bool plain_numbers(const struct sc_avro_op *op, const uint8_t *body, size_t *at,
                                 size_t n)
{
    uint64_t ends = sc_varint_ends(body, *at, n);
    for (uint32_t i = op->n; i > 1; i--)
        ends &= ends - 1;
    if (ends == 0)
        return false;
    *at += (unsigned)__builtin_ctzll(ends) / 8 + op->skip.n; /* of which one is its last byte */
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

/* A text of less than 16 bytes, where so many can be read: they are looked at together. */
static inline bool tiny_string(const uint8_t *body, size_t *at, size_t n, struct sc_value *out)
{
    const uint32_t twice = body[*at], len = twice >> 1;
    const char *p = (const char *)body + *at + 1;
    if ((twice & 0xe1) || *at + 17 > n || !sc_ascii_short(p, len))
        return false;
    sc_slot_text(out, (struct sc_str){p, len});
    *at += 1 + (size_t)len;
    return true;
}

static inline bool plain_string(const uint8_t *body, size_t *at, size_t n, struct sc_value *out)
{
    struct sc_str s = {(const char *)body + *at + 1, body[*at] >> 1};
    if ((body[*at] & 0x81) || n - *at - 1 < s.len || !sc_ascii(s))
        return false;
    sc_slot_text(out, s);
    *at += 1 + s.len;
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

/* On to another op; this one's value being passed, if it is plain. */
#define GO_TO(next)                                                                                \
    do {                                                                                           \
        op = (next);                                                                               \
        if (at >= n)                                                                               \
            goto stop;                                                                             \
        goto *codes[op->code];                                                                     \
    } while (0)
#define GO_ON_IF(plain, otherwise)                                                                 \
    do {                                                                                           \
        if (!(plain))                                                                              \
            goto otherwise;                                                                        \
        GO_TO(op + 1);                                                                             \
    } while (0)

/* Ops while they are plain: the one that is not, or END, and where. Each jumps to the next by
 * itself, not through a loop that all go round: the processor foretells those jumps better. */
static struct place run_plain(struct place from, struct sc_str record, struct sc_value *slots)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic" /* labels as values */
    static const void *const codes[] = {
        [SC_AVRO_END] = &&stop, [SC_AVRO_SKIP] = &&skip, [SC_AVRO_SKIP_NUMBERS] = &&numbers,
        [SC_AVRO_SKIP_OPTION] = &&option, [SC_AVRO_SKIP_UNION] = &&stop,
        [SC_AVRO_BRANCH] = &&branch, [SC_AVRO_JUMP] = &&jump, [SC_AVRO_LOOP] = &&stop,
        [SC_AVRO_SKIP_LOOP] = &&stop, [SC_AVRO_CALL] = &&stop, [SC_AVRO_READ] = &&stop,
        [SC_AVRO_READ_INT] = &&read_int, [SC_AVRO_READ_LONG] = &&read_long,
        [SC_AVRO_READ_MILLIS] = &&read_millis, [SC_AVRO_READ_DOUBLE] = &&read_double,
        [SC_AVRO_READ_BOOL] = &&read_bool, [SC_AVRO_READ_STRING] = &&read_string,
        [SC_AVRO_PEEK] = &&stop, [SC_AVRO_MET] = &&stop};
    const uint8_t *body = (const uint8_t *)record.p;
    const struct sc_avro_op *op;
    const size_t n = record.len;
    size_t at = from.at;
    uint32_t first;
    GO_TO(from.op);
skip:
    GO_ON_IF(plain_skip(&op->skip, body, &at, n), stop);
numbers:
    GO_ON_IF(plain_numbers(op, body, &at, n), stop);
option:
    GO_ON_IF(plain_option(op, body, &at, n), stop);
branch:
    first = body[at];
    if (first & 0x81 || first >> 1 >= op->n)
        goto stop;
    at++;
    GO_TO(op + op->jumps[first >> 1]);
jump:
    GO_TO(op + op->n);
read_int:
    GO_ON_IF(plain_int(body, &at, n, &slots[op->n]), stop);
read_long:
    GO_ON_IF(plain_long(body, &at, n, SC_T_INT, &slots[op->n]), stop);
read_millis:
    GO_ON_IF(plain_long(body, &at, n, SC_T_TIMESTAMP, &slots[op->n]), stop);
read_double:
    GO_ON_IF(sc_slot_double(body, &at, n, &slots[op->n]), stop);
read_bool:
    GO_ON_IF(plain_bool(body, &at, &slots[op->n]), stop);
read_string:
    GO_ON_IF(tiny_string(body, &at, n, &slots[op->n]), longer_string);
longer_string:
    GO_ON_IF(plain_string(body, &at, n, &slots[op->n]), stop);
stop:
    return (struct place){op, at};
#pragma GCC diagnostic pop
}
#undef GO_TO
#undef GO_ON_IF

/* The large forms. Each moves *at as the plain ones do, or anywhere when it cannot: false. */

static bool large_skip(const struct sc_avro_skip *skip, const uint8_t *body, size_t *at, size_t n)
{
    uint64_t u;
    if (plain_skip(skip, body, at, n))
        return true;
    if (!sc_varint_plain(body, at, n, &u) || (u & skip->odd & 1))
        return false;
    u = skip->mask ? u >> 1 : 0;
    *at += skip->n - 1 + (u > n ? n : (size_t)u);
    return true;
}

static bool large_numbers(const struct sc_avro_op *op, const uint8_t *body, size_t *at, size_t n)
{
    uint64_t u;
    for (uint32_t i = 0; i < op->n; i++)
        if (*at >= n || !sc_varint_plain(body, at, n, &u))
            return false;
    *at += op->skip.n - 1;
    return true;
}

static bool large_option(const struct sc_avro_op *op, const uint8_t *body, size_t *at, size_t n)
{
    return body[*at] == (op->null ^ 2) && ++*at < n && large_skip(&op->skip, body, at, n);
}

static bool large_union(const struct sc_avro_op *op, const uint8_t *body, size_t *at, size_t n)
{
    uint32_t first = body[*at];
    return (first & 0x81) == 0 && first >> 1 < op->n && ++*at < n &&
           large_skip(&op->skips[first >> 1], body, at, n);
}

static bool large_string(const uint8_t *body, size_t *at, size_t n, struct sc_value *out)
{
    uint64_t len;
    if (!sc_varint_plain(body, at, n, &len) || (len & 1) || n - *at < len >> 1)
        return false;
    struct sc_str s = {(const char *)body + *at, (size_t)(len >> 1)};
    sc_slot_text(out, s);
    *at += s.len;
    return sc_utf8_ok(s);
}

/* Blocks that do not say their size, to the empty one. */
static bool large_loop(const struct sc_avro_loop *loop, const uint8_t *body, size_t *at, size_t n)
{
    static const struct sc_avro_skip key = {SC_AVRO_SKIP_BYTES, 1, UINT32_MAX - 1};
    for (;;) {
        uint64_t left;
        if (*at >= n || !sc_varint_plain(body, at, n, &left) || (left & 1))
            return false;
        if (left == 0)
            return true;
        for (left >>= 1; left > 0; left--) { /* each a byte or more: the record bounds them */
            if (loop->map && (*at >= n || !large_skip(&key, body, at, n)))
                return false;
            if (*at >= n || !large_skip(&loop->each, body, at, n))
                return false;
        }
    }
}

/* An op that is not plain, where there is a byte: what comes next, or `pl` itself. */
static __attribute__((noinline)) struct place run_large(struct place pl, struct sc_str record,
                                                        struct sc_value *slots)
{
    const uint8_t *body = (const uint8_t *)record.p;
    const struct sc_avro_op *op = pl.op;
    struct place next = {op + 1, pl.at};
    bool ok = false;
    switch ((enum sc_avro_code)op->code) {
    case SC_AVRO_SKIP: ok = large_skip(&op->skip, body, &next.at, record.len); break;
    case SC_AVRO_SKIP_NUMBERS: ok = large_numbers(op, body, &next.at, record.len); break;
    case SC_AVRO_SKIP_OPTION: ok = large_option(op, body, &next.at, record.len); break;
    case SC_AVRO_SKIP_UNION: ok = large_union(op, body, &next.at, record.len); break;
    case SC_AVRO_SKIP_LOOP:
        ok = large_loop(op->loop, body, &next.at, record.len);
        next.op = op + op->loop->after;
        break;
    case SC_AVRO_READ_STRING:
        ok = large_string(body, &next.at, record.len, &slots[op->n]);
        break;
    case SC_AVRO_BRANCH:
    case SC_AVRO_JUMP:
    case SC_AVRO_LOOP:
    case SC_AVRO_CALL:
    case SC_AVRO_READ:
    case SC_AVRO_READ_INT:
    case SC_AVRO_READ_LONG:
    case SC_AVRO_READ_MILLIS:
    case SC_AVRO_READ_DOUBLE:
    case SC_AVRO_READ_BOOL:
    case SC_AVRO_PEEK:
    case SC_AVRO_MET:
    case SC_AVRO_END: break;
    }
    return ok ? next : pl;
}

/* Ops until one that needs the long way, END, or the record's end. */
static inline struct place run_ops(struct place pl, struct sc_str record, struct sc_value *slots)
{
    for (;;) {
        pl = run_plain(pl, record, slots);
        if (pl.at >= record.len || pl.op->code == SC_AVRO_END)
            return pl;
        const struct place next = run_large(pl, record, slots);
        if (next.op == pl.op)
            return pl;
        pl = next;
    }
}

static bool run(struct avro *a, struct place pl, unsigned depth)
{
    const struct sc_str record = {(const char *)a->c.begin, (size_t)(a->c.end - a->c.begin)};
    for (;;) {
        pl = run_ops(pl, record, a->c.take->slots);
        a->c.p = pl.at < record.len ? a->c.begin + pl.at : a->c.end;
        if (pl.at > record.len) { /* the op before: it passed over its value without a look at the
                                     end */
            a->at = pl.op - 1;
            return sc_avro_fail(&a->c, SC_DROP_TRUNCATED, "ends in a value");
        }
        if (pl.op->code == SC_AVRO_END)
            return true;
        if (!long_way(a, &pl.op, depth))
            return false;
        pl.at = (size_t)(a->c.p - a->c.begin);
    }
}

/* The ops from `pc` to their END, at the cursor. */
static bool run_at(struct avro *a, uint32_t pc, unsigned depth)
{
    const struct place pl = {a->plan->ops + pc, (size_t)(a->c.p - a->c.begin)};
    return run(a, pl, depth);
}

/* From `pl` on: its op is not plain, or END in the wrong place. */
static __attribute__((noinline)) enum sc_drop decode_on(const struct sc_avro_plan *plan,
                                                        struct place pl, struct sc_str body,
                                                        struct sc_take take)
{
    const uint8_t *p = (const uint8_t *)body.p;
    struct avro a = {.plan = plan, .c = {.begin = p, .end = p + body.len, .take = &take,
                                         .empty_left = SC_AVRO_EMPTY_MAX}};
    if (run(&a, pl, 0) && a.c.p == a.c.end) {
        sc_take_finish(&take);
        return SC_DROP_NONE;
    }
    if (a.c.drop == SC_DROP_NONE)
        sc_avro_fail(&a.c, SC_DROP_TRAILING, "more follows the record");
    struct sc_str path = a.at ? plan->notes[a.at - plan->ops].path : SC_STR("$");
    return sc_fault_set(take.fault, a.c.drop, path,
                        "%s, at byte %zu of %zu", a.c.what, (size_t)(a.c.p - p), body.len);
}

static enum sc_drop avro_decode(const struct sc_decoder *d, struct sc_str body,
                                struct sc_arena *ar, struct sc_value *slots,
                                struct sc_fault *fault)
{
    const struct sc_avro_plan *plan = (const struct sc_avro_plan *)(const void *)d;
    sc_slots_clear(slots, d->tree);
    const struct place pl = run_ops((struct place){plan->ops, 0}, body, slots);
    if (pl.op->code == SC_AVRO_END && pl.at == body.len && d->tree->n_lists == 0)
        return SC_DROP_NONE;
    return decode_on(plan, pl, body, sc_take_start(d->tree, ar, slots, fault));
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
