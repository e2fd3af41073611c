/* Protobuf in: walking a record with the tables of a plan (proto_plan.h).
 *
 * A field nobody wants is passed over by its wire type, a message nobody wants by its length: what
 * is inside is not looked at. A field whose wire type is not its schema's is unknown, as it is to
 * Protobuf's own parsers. Repeated scalars are taken packed or not.
 *
 * A field is taken in the first of three ways that can:
 *
 *     short     its tag is in the table, its length has a byte or two, its number up to eight,
 *               its text is ASCII: nearly all. `walk_short` jumps from a field's code to the next
 *               one's, goes into messages without a call, and keeps its place in registers
 *     text      a text that is longer, or other than ASCII: a call each
 *     long way  anything at any place, damage too; says what is wrong
 *
 * Cost: 13 instructions a field skipped, 32 one that is read, 50 a message gone into. */
#include "codec/proto_plan.h"
#include "codec/proto_read.h"

#include "base/arena.h"
#include "base/assert.h"

#include <endian.h>

/* A message being walked; there is one for each step of a wanted path, and the record. */
struct level {
    const struct sc_proto_table *table;
    size_t n;   /* its end */
    bool inner; /* the walk goes on behind it, in the one before */
};
#define LEVELS (SC_PATH_STEPS_MAX + 1)

struct walker {
    struct sc_proto_cursor c;
    const struct sc_proto_plan *plan;
    uint32_t n_slots;
    struct sc_value *slots, *regs; /* registers: the slots, then the others */
    struct sc_items *builds;
    uint32_t *marks;
    struct level *around; /* by depth */
};

/* Where a walk is: from which byte on, in which message. */
struct place {
    size_t at;
    struct level *in;
};

static bool walk(struct walker *x, struct sc_str bytes, struct place pl, unsigned top);

static bool blame(struct walker *x, struct sc_str path)
{
    if (x->c.path.len == 0)
        x->c.path = path;
    return false;
}

static bool full(struct walker *x, const uint8_t *at)
{
    return sc_proto_bad(&x->c, at, SC_DROP_SIZE, "a list is too long");
}

static bool build(struct walker *x, uint32_t builder, struct sc_value v, const uint8_t *at)
{
    SC_ASSERT(builder != SC_PROTO_NONE);
    return sc_items_add(&x->builds[builder], x->c.take->ar, v) || full(x, at);
}

static inline struct sc_value *reg(const struct walker *x, uint32_t i)
{
    SC_ASSERT(i < x->plan->n_regs);
    return i < x->n_slots ? &x->slots[i] : &x->regs[i - x->n_slots];
}

static void forget(struct walker *x, const struct sc_proto_region *r)
{
    for (uint32_t i = r->reg; i < r->reg + r->n_regs; i++)
        *reg(x, i) = x->plan->start[i];
    for (uint32_t i = 0; i < r->slots.n; i++)
        x->slots[r->slots.v[i]] = x->plan->start[r->slots.v[i]];
    if (r->n_builds)
        memset(x->builds + r->build, 0, sizeof(*x->builds) * r->n_builds);
    for (uint32_t i = 0; i < r->marks.n; i++)
        x->c.take->lists[r->marks.v[i].list].n = x->marks[r->marks.v[i].mark];
}

/* The message that begins here, all of `bytes`, `depth` levels down. */
static struct place start_of(struct walker *x, const struct sc_proto_table *t, struct sc_str bytes,
                             unsigned depth)
{
    SC_ASSERT(depth < LEVELS);
    x->around[depth] = (struct level){t, bytes.len, false};
    return (struct place){0, &x->around[depth]};
}

static bool spot_message(struct walker *x, const struct sc_proto_spot *spot, struct sc_str bytes,
                         unsigned depth)
{
    if (spot->reg != SC_PROTO_NONE)
        *reg(x, spot->reg) = sc_bool(true);
    if (spot->chunks != SC_PROTO_NONE &&
        !build(x, spot->chunks, sc_string(bytes), (const uint8_t *)bytes.p))
        return false;
    return spot->sub == NULL ||
           walk(x, bytes, start_of(x, spot->sub, bytes, depth + 1), depth + 1);
}

static struct sc_value flushed(struct walker *x, const struct sc_proto_flush *f, bool *ok)
{
    struct sc_value v = sc_absent();
    bool twice;
    *ok = true;
    if (f->come != SC_PROTO_NONE && reg(x, f->come)->type == SC_T_ABSENT)
        return v;
    switch (f->kind) {
    case SC_PROTO_END_REG: return *reg(x, f->from);
    case SC_PROTO_END_MAP: return sc_map_value(&x->builds[f->from], x->c.take->ar, &twice);
    case SC_PROTO_END_LIST:
        return (struct sc_value){.type = SC_T_LIST, .len = x->builds[f->from].n,
                                 .list = x->builds[f->from].v};
    case SC_PROTO_END_MESSAGE:
        if (x->builds[f->from].n)
            *ok = sc_proto_whole(&x->c, f->message,
                                 sc_proto_join(&x->builds[f->from], x->c.take->ar), 0, &v);
        return v;
    }
    SC_UNREACHABLE("end of a value");
}

/* What has no slot of its own, to its sinks. */
static bool flush(struct walker *x, const struct sc_proto_frame *frame, struct sc_str bytes)
{
    bool ok = true;
    for (uint32_t i = 0; i < frame->flushes.n; i++) {
        const struct sc_proto_flush *f = &frame->flushes.v[i];
        struct sc_value v = flushed(x, f, &ok);
        if (!ok)
            return blame(x, f->want->path);
        if (!sc_take_put(x->c.take, f->want, v, f->kind == SC_PROTO_END_LIST)) {
            full(x, (const uint8_t *)bytes.p);
            return blame(x, f->want->path);
        }
    }
    return true;
}

/* What a frame holds is walked from `pl` on; then it is final. */
static bool run_frame(struct walker *x, const struct sc_proto_frame *frame, struct sc_str bytes,
                      struct place pl, unsigned top)
{
    for (uint32_t i = 0; i < frame->marks.n; i++)
        x->marks[frame->marks.v[i].mark] = x->c.take->lists[frame->marks.v[i].list].n;
    if (!walk(x, bytes, pl, top))
        return false;
    return flush(x, frame, bytes);
}

/* The spot for the element that comes now, or NULL; counts it. */
static const struct sc_proto_spot *next_spot(struct walker *x, const struct sc_proto_entry *e)
{
    if (e->counter == SC_PROTO_NONE)
        return NULL;
    struct sc_value *count = reg(x, e->counter);
    int64_t index = count->i++;
    for (uint32_t i = 0; i < e->n_spots; i++)
        if (e->spots[i].want->index == index)
            return &e->spots[i];
    return NULL;
}

static bool element(struct walker *x, const struct sc_proto_entry *e, struct sc_value v,
                    const uint8_t *at)
{
    const struct sc_proto_spot *spot = next_spot(x, e);
    if (spot && spot->reg != SC_PROTO_NONE)
        *reg(x, spot->reg) = v;
    if (e->values != SC_PROTO_NONE && !build(x, e->values, v, at))
        return false;
    return e->want->all == NULL || sc_take_put(x->c.take, e->want->all, v, false) || full(x, at);
}

static bool element_message(struct walker *x, const struct sc_proto_entry *e, struct sc_str bytes,
                            unsigned depth)
{
    const struct sc_want_node *all = e->want->all;
    const struct sc_proto_spot *spot = next_spot(x, e);
    const uint8_t *at = (const uint8_t *)bytes.p;
    struct sc_value v = sc_bool(true);
    bool whole = e->values != SC_PROTO_NONE || (all && sc_want_whole(all, false));
    if (whole && !sc_proto_whole(&x->c, e->field->message, bytes, depth + 1, &v))
        return false;
    if (e->values != SC_PROTO_NONE && !build(x, e->values, v, at))
        return false;
    if (all && !sc_take_put(x->c.take, all, v, false))
        return full(x, at);
    if (spot && !spot_message(x, spot, bytes, depth))
        return false;
    if (e->each == NULL)
        return true;
    forget(x, &e->each->region);
    return run_frame(x, e->each, bytes, start_of(x, e->each->table, bytes, depth + 1), depth + 1);
}

static bool repeated(struct walker *x, const struct sc_proto_entry *e, uint32_t wire,
                     const uint8_t **p, const uint8_t *end, unsigned depth)
{
    struct sc_value v;
    struct sc_str bytes = SC_STR_NULL;
    bool packed = wire == SC_WIRE_LEN && sc_proto_packable(e->field);
    bool message = e->field->kind == SC_PROTO_MESSAGE;
    if (!packed && !message)
        return sc_proto_scalar(&x->c, e->field, p, end, &v) && element(x, e, v, *p);
    if (!sc_proto_checked(&x->c, *p, sc_wire_bytes(p, end, &bytes)))
        return false;
    if (message)
        return element_message(x, e, bytes, depth);
    const uint8_t *at = (const uint8_t *)bytes.p, *stop = at + bytes.len;
    while (at < stop)
        if (!sc_proto_scalar(&x->c, e->field, &at, stop, &v) || !element(x, e, v, at))
            return false;
    return true;
}

static bool map_entry(struct walker *x, const struct sc_proto_entry *e, const uint8_t **p,
                      const uint8_t *end, unsigned depth)
{
    struct sc_str bytes;
    struct sc_value key, v, whole;
    if (!sc_proto_checked(&x->c, *p, sc_wire_bytes(p, end, &bytes)) ||
        !sc_proto_map_entry(&x->c, e->field, bytes, &key, &v))
        return false;
    whole = v;
    if (e->values != SC_PROTO_NONE &&
        (!sc_proto_map_whole(&x->c, e->field, depth, &whole) ||
         !build(x, e->values, key, *p) || !build(x, e->values, whole, *p)))
        return false;
    const struct sc_want_node *w =
        e->n_spots ? sc_want_field(e->want, sc_value_str(key)) : NULL;
    for (uint32_t i = 0; w && i < e->n_spots; i++) {
        const struct sc_proto_spot *spot = &e->spots[i];
        if (spot->want != w)
            continue;
        forget(x, &spot->region); /* the later of two entries with a key replaces the earlier */
        if (sc_proto_field_by_number(e->field->message, 2)->kind == SC_PROTO_MESSAGE)
            return spot_message(x, spot, sc_value_str(v), depth);
        if (spot->reg != SC_PROTO_NONE)
            *reg(x, spot->reg) = v;
    }
    return true;
}

static inline bool single(struct walker *x, const struct sc_proto_entry *e, const uint8_t **p,
                   const uint8_t *end, unsigned depth)
{
    struct sc_str bytes;
    struct sc_value v;
    if (e->wire != SC_WIRE_LEN) {
        if (!sc_proto_scalar(&x->c, e->field, p, end, &v))
            return false;
    } else {
        if (!sc_proto_checked(&x->c, *p, sc_wire_bytes(p, end, &bytes)))
            return false;
        if (e->field->kind == SC_PROTO_MESSAGE)
            return spot_message(x, e->spots, bytes, depth);
        if (!sc_proto_text(&x->c, e->field, bytes, &v))
            return false;
    }
    if (e->spots->reg != SC_PROTO_NONE)
        *reg(x, e->spots->reg) = v;
    return true;
}

static inline const struct sc_proto_entry *find(const struct sc_proto_table *t, uint32_t number)
{
    uint32_t low = 0, high = t->n_entries;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (t->entries[mid].field->number < number)
            low = mid + 1;
        else
            high = mid;
    }
    return low < t->n_entries && t->entries[low].field->number == number ? &t->entries[low] : NULL;
}

/* One field of the message; `e` is NULL when nobody cares. */
static bool field(struct walker *x, const struct sc_proto_entry *e, struct sc_wire_tag tag,
                  const uint8_t **p, const uint8_t *end, unsigned depth)
{
    bool known = e && (tag.wire == (uint32_t)e->wire ||
                       (tag.wire == SC_WIRE_LEN && sc_proto_packable(e->field)));
    if (!known)
        return sc_proto_checked(&x->c, *p, sc_wire_skip(p, end, tag, 0));
    for (uint32_t i = 0; i < e->n_forgets; i++)
        forget(x, e->forgets[i]);
    switch (e->mode) {
    case SC_PROTO_SINGLE: return single(x, e, p, end, depth);
    case SC_PROTO_REPEATED: return repeated(x, e, tag.wire, p, end, depth);
    case SC_PROTO_MAP: return map_entry(x, e, p, end, depth);
    case SC_PROTO_IGNORED: return sc_proto_checked(&x->c, *p, sc_wire_skip(p, end, tag, 0));
    }
    SC_UNREACHABLE("mode of a field");
}

/* Any field, wherever it stands. */
static bool long_way(struct walker *x, const struct sc_proto_table *t, const uint8_t **p,
                     const uint8_t *end, unsigned depth)
{
    struct sc_wire_tag tag;
    if (!sc_proto_checked(&x->c, *p, sc_wire_tag(p, end, &tag)))
        return blame(x, t->want->path);
    const struct sc_proto_entry *e = find(t, tag.number);
    return field(x, e, tag, p, end, depth) ||
           blame(x, e && e->want ? e->want->path : t->want->path);
}

/* The short forms. Each takes the value at body[*at] (there is a byte) and moves behind it; past
 * the message's end when it is cut short there, since `end`, up to which can be read, is the
 * record's. False: it is not short, and nothing was done. */

/* A length, or another number, of a byte. */
static inline bool tiny_number(const uint8_t *body, size_t *at, size_t *out)
{
    *out = body[*at];
    if (*out >= 0x80)
        return false;
    ++*at;
    return true;
}

/* Of a byte or two. */
static inline bool short_number(const uint8_t *body, size_t *at, size_t end, size_t *out)
{
    if (tiny_number(body, at, out))
        return true;
    if (end - *at < 2 || body[*at + 1] >= 0x80)
        return false;
    *out = (*out & 0x7f) | (size_t)body[*at + 1] << 7;
    *at += 2;
    return true;
}

static inline bool skip_bytes(const uint8_t *body, size_t *at, size_t end)
{
    size_t len;
    if (!short_number(body, at, end, &len))
        return false;
    *at += len;
    return true;
}

/* By its last byte: the first that has no top bit. */
static inline bool skip_number(const uint8_t *body, size_t *at, size_t end)
{
    size_t number;
    if (short_number(body, at, end, &number))
        return true;
    uint64_t ends = sc_varint_ends(body, *at, end);
    if (ends == 0)
        return false;
    *at += (unsigned)__builtin_ctzll(ends) / 8 + 1;
    return true;
}

/* Less than 16 bytes, where so many can be read: they are looked at together. */
static inline bool tiny_text(const uint8_t *body, size_t *at, size_t end, struct sc_value *out)
{
    const uint32_t len = body[*at];
    const char *p = (const char *)body + *at + 1;
    if (len >= 16 || *at + 17 > end || !sc_ascii_short(p, len))
        return false;
    sc_slot_text(out, (struct sc_str){p, len});
    *at += 1 + (size_t)len;
    return true;
}

static inline bool short_text(const uint8_t *body, size_t *at, size_t end, struct sc_value *out)
{
    struct sc_str s = {(const char *)body + *at + 1, body[*at]};
    if (s.len >= 0x80 || end - *at - 1 < s.len || !sc_ascii(s))
        return false;
    sc_slot_text(out, s);
    *at += 1 + s.len;
    return true;
}

static inline bool short_int64(const uint8_t *body, size_t *at, size_t end, struct sc_value *out)
{
    uint64_t u;
    if (!sc_varint_plain(body, at, end, &u))
        return false;
    sc_slot_set(out, SC_T_INT, 0, u);
    return true;
}

static inline bool short_int32(const uint8_t *body, size_t *at, size_t end, struct sc_value *out)
{
    uint64_t u;
    if (!sc_varint_plain(body, at, end, &u))
        return false;
    sc_slot_set(out, SC_T_INT, 0, (uint64_t)(int32_t)u);
    return true;
}

static inline bool short_bool(const uint8_t *body, size_t *at, size_t end, struct sc_value *out)
{
    uint64_t u;
    if (!sc_varint_plain(body, at, end, &u))
        return false;
    sc_slot_set(out, SC_T_BOOL, 0, u != 0);
    return true;
}

/* To where a message begins; *n, the end of the one around it, becomes its own. */
static inline bool short_part(const uint8_t *body, size_t *at, size_t *n)
{
    size_t first = *at, len;
    if (!short_number(body, &first, *n, &len) || len > *n - first)
        return false;
    *at = first;
    *n = first + len;
    return true;
}

/* Once a message has come, what it has without a field. */
static inline void part_came(const struct sc_proto_table *t, struct sc_value *slots)
{
    for (uint32_t i = 0; i < t->zeros.n; i++)
        if (slots[t->zeros.v[i].reg].type == SC_T_ABSENT)
            slots[t->zeros.v[i].reg] = t->zeros.v[i].value;
}

/* From the next tag to its value; if the field before is short. */
#define GO_ON()                                                                                    \
    do {                                                                                           \
        if (++at >= n)                                                                             \
            goto out;                                                                              \
        f = t->by_tag[body[at - 1]];                                                               \
        goto *codes[f.does];                                                                       \
    } while (0)
#define GO_ON_IF(is_short, otherwise)                                                              \
    do {                                                                                           \
        if (!(is_short))                                                                           \
            goto otherwise;                                                                        \
        GO_ON();                                                                                   \
    } while (0)

/* Fields while they are short, through the messages inside of this one and back at their ends. Each
 * jumps to the next by itself, not through a loop that all go round: the processor foretells those
 * jumps better. */
static struct place walk_short(struct place pl, const uint8_t *body, size_t end,
                               struct sc_value *slots)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic" /* labels as values */
    static const void *const codes[] = {
        [SC_PROTO_LONG_WAY] = &&stop, [SC_PROTO_SKIP_VARINT] = &&varint,
        [SC_PROTO_SKIP_64] = &&eight, [SC_PROTO_SKIP_LEN] = &&bytes, [SC_PROTO_SKIP_32] = &&four,
        [SC_PROTO_SHORT_TEXT] = &&text, [SC_PROTO_SHORT_INT64] = &&int64,
        [SC_PROTO_SHORT_INT32] = &&int32, [SC_PROTO_SHORT_BOOL] = &&boolean,
        [SC_PROTO_SHORT_DOUBLE] = &&real, [SC_PROTO_SHORT_PART] = &&part,
        [SC_PROTO_SHORT_TAG] = &&second};
    struct level *in = pl.in;
    const struct sc_proto_table *t = in->table;
    struct sc_proto_fused f;
    size_t at = pl.at, n = in->n, behind_two = 0, tag;
    GO_ON();
varint:
    GO_ON_IF(skip_number(body, &at, end), stop);
bytes:
    GO_ON_IF(skip_bytes(body, &at, end), stop);
eight:
    at += 4;
four:
    at += 4;
    GO_ON();
text:
    GO_ON_IF(tiny_text(body, &at, end, &slots[f.at]), longer_text);
longer_text:
    GO_ON_IF(short_text(body, &at, end, &slots[f.at]), stop);
int64:
    GO_ON_IF(short_int64(body, &at, end, &slots[f.at]), stop);
int32:
    GO_ON_IF(short_int32(body, &at, end, &slots[f.at]), stop);
boolean:
    GO_ON_IF(short_bool(body, &at, end, &slots[f.at]), stop);
real:
    GO_ON_IF(sc_slot_double(body, &at, end, &slots[f.at]), stop);
part:
    if (!short_part(body, &at, &n))
        goto stop;
    t = t->parts[f.at];
    *++in = (struct level){t, n, true};
    part_came(t, slots);
    GO_ON();
second: /* of a tag's bytes, and the last */
    tag = (body[at - 1] & 0x7fu) | (size_t)body[at] << 7;
    if (tag < 128 || tag >= t->n_tags || at + 1 >= n)
        goto stop;
    behind_two = ++at;
    f = t->by_long[tag];
    goto *codes[f.does];
out: /* at its end, at its last byte, or past it */
    if (--at != n || !in->inner)
        return (struct place){at, in};
    in--;
    t = in->table;
    n = in->n;
    GO_ON();
stop:
    return (struct place){at - (at == behind_two ? 2 : 1), in};
#pragma GCC diagnostic pop
}
#undef GO_ON
#undef GO_ON_IF

/* A text that is not short, if there is one: where the next field is, else `pl` itself. */
static __attribute__((noinline)) struct place walk_text(struct place pl, const uint8_t *body,
                                                        size_t end, struct sc_value *slots)
{
    const struct sc_proto_table *t = pl.in->table;
    const size_t n = pl.in->n;
    size_t at = pl.at;
    uint64_t tag, len;
    if (at >= n || !sc_varint_plain(body, &at, end, &tag) || tag >= t->n_tags || at >= n)
        return pl;
    const struct sc_proto_fused f = tag < 128 ? t->by_tag[tag] : t->by_long[tag];
    if (f.does != SC_PROTO_SHORT_TEXT || !sc_varint_plain(body, &at, end, &len) || at > n ||
        len > n - at)
        return pl;
    struct sc_str s = {(const char *)body + at, (size_t)len};
    if (!sc_utf8_ok(s))
        return pl;
    sc_slot_text(&slots[f.at], s);
    return (struct place){at + s.len, pl.in};
}

/* Fields until one that needs the long way, or the end. */
static inline struct place walk_fields(struct place pl, const uint8_t *body, size_t end,
                                       struct sc_value *slots)
{
    for (;;) {
        pl = walk_short(pl, body, end, slots);
        if (pl.at >= end)
            return pl;
        const struct place next = walk_text(pl, body, end, slots);
        if (next.at == pl.at)
            return pl;
        pl = next;
    }
}

static void came(struct walker *x, const struct sc_proto_table *t)
{
    for (uint32_t i = 0; i < t->zeros.n; i++)
        if (reg(x, t->zeros.v[i].reg)->type == SC_T_ABSENT)
            *reg(x, t->zeros.v[i].reg) = t->zeros.v[i].value;
}

/* From `pl` to the end of the message at depth `top`. */
static bool walk(struct walker *x, struct sc_str bytes, struct place pl, unsigned top)
{
    const uint8_t *body = (const uint8_t *)bytes.p;
    came(x, x->around[top].table);
    for (;;) {
        pl = walk_fields(pl, body, bytes.len, x->slots);
        const struct level in = *pl.in;
        const unsigned depth = (unsigned)(pl.in - x->around);
        if (pl.at == in.n && depth == top)
            return true;
        if (pl.at > in.n) { /* the field before */
            sc_proto_bad(&x->c, body + in.n, SC_DROP_TRUNCATED, "ends in a value");
            return blame(x, in.table->want->path);
        }
        const uint8_t *p = body + pl.at;
        if (!long_way(x, in.table, &p, body + in.n, depth))
            return false;
        pl.at = (size_t)(p - body);
    }
}

static bool run_record(struct walker *x, struct sc_str body, struct place pl)
{
    const struct sc_want_node *root = x->plan->base.tree->root;
    struct sc_value v = sc_bool(true);
    if (sc_want_whole(root, false) &&
        !sc_proto_whole(&x->c, x->plan->root->table->message, body, 0, &v))
        return blame(x, root->path);
    return run_frame(x, x->plan->root, body, pl, 0) &&
           (sc_take_put(x->c.take, root, v, false) || full(x, x->c.begin));
}

/* From `pl` on: all that a record may need. */
static __attribute__((noinline)) enum sc_drop decode_on(const struct sc_proto_plan *plan,
                                                        struct level *around, struct place pl,
                                                        struct sc_str body, struct sc_take take)
{
    const uint8_t *begin = (const uint8_t *)body.p;
    const uint32_t n_slots = take.tree->n_slots, n_regs = plan->n_regs - n_slots;
    struct walker x = {.plan = plan, .n_slots = n_slots, .slots = take.slots, .around = around};
    x.c = (struct sc_proto_cursor){.take = &take, .begin = begin, .end = begin + body.len,
                                   .fields_left = SC_PROTO_FIELDS_MAX};
    x.regs = sc_arena_alloc(take.ar, sizeof(*x.regs) * n_regs);
    memcpy(x.regs, plan->start + n_slots, sizeof(*x.regs) * n_regs);
    x.builds = SC_NEW_N(take.ar, struct sc_items, plan->n_builds);
    x.marks = sc_arena_alloc(take.ar, sizeof(*x.marks) * plan->n_marks); /* frames set theirs */
    if (run_record(&x, body, pl)) {
        sc_take_finish(&take);
        return SC_DROP_NONE;
    }
    /* a joined message lies outside the record: then the place is the record's start */
    size_t at = (size_t)((uintptr_t)x.c.failed_at - (uintptr_t)x.c.begin);
    at = at <= body.len ? at : 0;
    return sc_fault_set(take.fault, x.c.drop, x.c.path.len ? x.c.path : SC_STR("$"),
                        "%s, at byte %zu of %zu", x.c.what, at, body.len);
}

static enum sc_drop proto_decode(const struct sc_decoder *d, struct sc_str body,
                                 struct sc_arena *ar, struct sc_value *slots,
                                 struct sc_fault *fault)
{
    const struct sc_proto_plan *plan = (const struct sc_proto_plan *)(const void *)d;
    struct level around[LEVELS];
    struct place pl = {0, around};
    around[0] = (struct level){plan->root->table, body.len, false};
    memcpy(slots, plan->start, sizeof(*slots) * d->tree->n_slots);
    if (plan->only_slots) {
        pl = walk_fields(pl, (const uint8_t *)body.p, body.len, slots);
        if (pl.at == body.len && pl.in == around)
            return SC_DROP_NONE;
    }
    return decode_on(plan, around, pl, body, sc_take_start(d->tree, ar, slots, fault));
}

static const struct sc_proto_message *by_index(const struct sc_proto_files *files,
                                               const uint32_t *index, uint32_t n)
{
    const struct sc_proto_message *m = index[0] < files->top.n ? files->top.v[index[0]] : NULL;
    for (uint32_t i = 1; m && i < n; i++)
        m = index[i] < m->nested.n ? m->nested.v[index[i]] : NULL;
    return m;
}

const struct sc_proto_message *sc_proto_find(const struct sc_proto_files *files,
                                             const struct sc_message_at *at, struct sc_arena *ar,
                                             struct sc_str *why)
{
    static const uint32_t first = 0;
    const struct sc_proto_message *m;
    SC_ASSERT(at->n_index <= SC_DECODE_DEPTH);
    if (at->message.len) {
        const struct sc_proto_symbol *s = sc_map_get(&files->symbols, at->message);
        m = s ? s->message : NULL;
    } else {
        m = by_index(files, at->n_index ? at->index : &first, at->n_index ? at->n_index : 1);
    }
    if (m == NULL)
        *why = at->message.len ? sc_str_printf(ar, "the schema has no message `%.*s`",
                                               SC_STR_FMT(at->message))
                               : SC_STR("the schema has no message at this index");
    return m;
}

const struct sc_decoder *sc_proto_decoder(const struct sc_proto_files *files, struct sc_str message,
                                          const uint32_t *index, uint32_t n_index,
                                          const struct sc_projection *want, struct sc_arena *ar,
                                          struct sc_str *why)
{
    const struct sc_message_at at = {message, index, n_index};
    const struct sc_proto_message *m = sc_proto_find(files, &at, ar, why);
    struct sc_proto_plan *plan = m ? sc_proto_plan_compile(m, want, ar, why) : NULL;
    if (plan == NULL)
        return NULL;
    plan->base.decode = proto_decode;
    return &plan->base;
}
