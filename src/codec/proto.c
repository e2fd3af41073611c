/* Protobuf in: walking a record with the tables of a plan (proto_plan.h).
 *
 * A field nobody wants is passed over by its wire type, a message nobody wants by its length: what
 * is inside is not looked at. A field whose wire type is not its schema's is unknown, as it is to
 * Protobuf's own parsers. Repeated scalars are taken packed or not.
 *
 * Nearly every field is short: its tag is known to the table, its number or length has a byte or
 * two, and its value ends in the message. `walk` takes those by an offset, and goes into messages
 * without a call. All else is the long way's, which takes any field and says what is wrong. Cost:
 * 17 instructions a field skipped, 35 one that is read. */
#include "codec/proto_plan.h"
#include "codec/proto_read.h"

#include "base/arena.h"
#include "base/assert.h"

#include <endian.h>

/* A message that goes on behind the one inside of it that is being walked. */
struct level {
    const struct sc_proto_table *table;
    size_t n; /* its end */
};

struct walker {
    struct sc_proto_cursor c;
    const struct sc_proto_plan *plan;
    uint32_t n_slots;
    struct sc_value *slots, *regs; /* registers: the slots, then the others */
    struct sc_items *builds;
    uint32_t *marks;
    bool *seen;
    struct level *around; /* by depth */
};

/* Where a walk is. */
struct place {
    const struct sc_proto_table *t;
    size_t at, n; /* n: the message's end */
    unsigned depth;
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
    if (r->n_seen)
        memset(x->seen + r->seen, 0, sizeof(*x->seen) * r->n_seen);
    for (uint32_t i = 0; i < r->marks.n; i++)
        x->c.take->lists[r->marks.v[i].list].n = x->marks[r->marks.v[i].mark];
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
           walk(x, bytes, (struct place){spot->sub, 0, bytes.len, depth + 1}, depth + 1);
}

static struct sc_value flushed(struct walker *x, const struct sc_proto_flush *f, bool *ok)
{
    struct sc_value v = sc_absent();
    bool twice;
    *ok = true;
    if (f->seen != SC_PROTO_NONE && !x->seen[f->seen])
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

/* The scalars of messages that have not come are no zeros. */
static void close_parts(const struct walker *x, const struct sc_proto_frame *frame)
{
    for (uint32_t i = 0; i < frame->parts.n; i++) {
        const struct sc_proto_part *part = &frame->parts.v[i];
        for (uint32_t k = 0; !x->seen[part->seen] && k < part->zeros.n; k++)
            *reg(x, part->zeros.v[k]) = sc_absent();
    }
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
    close_parts(x, frame);
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
    const struct place pl = {e->each->table, 0, bytes.len, depth + 1};
    return run_frame(x, e->each, bytes, pl, depth + 1);
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

/* The short forms. Each takes the value at body[*at] (there is a byte) and moves behind it; false:
 * it is not short, and nothing was done. */

/* May move past `n`: then the field is cut short. */
static inline bool short_skip(const struct sc_proto_fused *f, const uint8_t *body, size_t *at,
                              size_t n)
{
    uint32_t first = body[*at];
    if (first & f->odd) { /* two bytes? */
        if (n - *at < 2 || body[*at + 1] >= 0x80)
            return false;
        *at += f->n + 1u + (f->mask ? (first & 0x7f) | (uint32_t)body[*at + 1] << 7 : 0);
        return true;
    }
    *at += f->n + (first & f->mask);
    return true;
}

static inline bool short_text(const uint8_t *body, size_t *at, size_t n, struct sc_value *out)
{
    size_t start = *at;
    uint64_t len;
    if (!sc_varint_plain(body, &start, n, &len) || n - start < len)
        return false;
    struct sc_str s = {(const char *)body + start, (size_t)len};
    if (!sc_utf8_ok(s))
        return false;
    sc_slot_text(out, s);
    *at = start + s.len;
    return true;
}

static inline bool short_scalar(const struct sc_proto_fused *f, const uint8_t *body, size_t *at,
                                size_t n, struct sc_value *slot)
{
    uint64_t u;
    if (f->does == SC_PROTO_SHORT_TEXT)
        return short_text(body, at, n, slot);
    if (f->does == SC_PROTO_SHORT_DOUBLE)
        return sc_slot_double(body, at, n, slot);
    if (!sc_varint_plain(body, at, n, &u))
        return false;
    if (f->does == SC_PROTO_SHORT_BOOL)
        sc_slot_set(slot, SC_T_BOOL, 0, u != 0);
    else
        sc_slot_set(slot, SC_T_INT, 0, f->does == SC_PROTO_SHORT_INT64 ? u
                                                                      : (uint64_t)(int32_t)u);
    return true;
}

/* A field whose tag has two bytes: the second is there. From the tag. */
static bool short_second(const struct sc_proto_table *t, const uint8_t *body, size_t *at, size_t n,
                         struct sc_value *slots)
{
    uint32_t high = body[*at + 1], tag = (body[*at] & 0x7fu) | high << 7;
    size_t value = *at + 2;
    if (high >= 0x80 || tag < 128 || tag >= t->n_tags || value >= n)
        return false;
    const struct sc_proto_fused *f = &t->by_tag[128 + tag];
    bool ok = f->does == SC_PROTO_SHORT_SKIP ? short_skip(f, body, &value, n)
              : f->does != SC_PROTO_LONG_WAY && f->does != SC_PROTO_SHORT_PART &&
                    short_scalar(f, body, &value, n, &slots[f->slot]);
    *at = ok ? value : *at;
    return ok;
}

/* Fields while they are short, through the messages inside of this one and back at its end. */
static void walk_short(const struct walker *x, const uint8_t *body, unsigned top,
                       struct place *pl)
{
    const struct sc_proto_table *t = pl->t;
    const struct sc_proto_fused *by_tag = t->by_tag;
    struct sc_value *slots = x->slots;
    size_t at = pl->at, n = pl->n, len;
    unsigned depth = pl->depth;
    for (;;) {
        if (at + 1 >= n) {
            if (at != n || depth == top)
                break; /* its last byte, past its end, or the end of it all */
            t = x->around[--depth].table;
            n = x->around[depth].n;
            by_tag = t->by_tag;
            continue;
        }
        const struct sc_proto_fused *f = &by_tag[body[at]];
        size_t value = at + 1;
        if (f->does == SC_PROTO_SHORT_SKIP) {
            if (!short_skip(f, body, &value, n))
                break;
            at = value;
        } else if (f->does == SC_PROTO_SHORT_TEXT) {
            if (!short_text(body, &value, n, &slots[f->slot]))
                break;
            at = value;
        } else if (f->does == SC_PROTO_SHORT_PART) {
            len = body[value++];
            if (len >= 0x80 || len > n - value || depth + 1 >= SC_DECODE_DEPTH)
                break;
            x->around[depth++] = (struct level){t, n};
            t = t->entries[f->entry].spots->sub;
            x->seen[t->seen] = true;
            by_tag = t->by_tag;
            at = value;
            n = value + len;
        } else if (f->does == SC_PROTO_SHORT_TAG) {
            if (!short_second(t, body, &at, n, slots))
                break;
        } else if (f->does != SC_PROTO_LONG_WAY) {
            if (!short_scalar(f, body, &value, n, &slots[f->slot]))
                break;
            at = value;
        } else {
            break;
        }
    }
    *pl = (struct place){t, at, n, depth};
}

/* From `pl` to the end of the message at depth `top`. */
static bool walk(struct walker *x, struct sc_str bytes, struct place pl, unsigned top)
{
    const uint8_t *body = (const uint8_t *)bytes.p;
    if (pl.depth >= SC_DECODE_DEPTH) {
        sc_proto_bad(&x->c, body, SC_DROP_DEPTH, "nested too deep");
        return blame(x, pl.t->want->path);
    }
    x->seen[pl.t->seen] = true;
    for (;;) {
        walk_short(x, body, top, &pl);
        if (pl.at == pl.n && pl.depth == top)
            return true;
        if (pl.at > pl.n) {
            sc_proto_bad(&x->c, body + pl.n, SC_DROP_TRUNCATED, "ends in a value");
            return blame(x, pl.t->want->path);
        }
        const uint8_t *p = body + pl.at;
        if (!long_way(x, pl.t, &p, body + pl.n, pl.depth))
            return false;
        pl.at = (size_t)(p - body);
    }
}

static bool run_record(struct walker *x, struct sc_str body, const struct place *pl)
{
    const struct sc_want_node *root = x->plan->base.tree->root;
    struct sc_value v = sc_bool(true);
    if (sc_want_whole(root, false) &&
        !sc_proto_whole(&x->c, x->plan->root->table->message, body, 0, &v))
        return blame(x, root->path);
    return run_frame(x, x->plan->root, body, *pl, 0) &&
           (sc_take_put(x->c.take, root, v, false) || full(x, x->c.begin));
}

/* From `pl` on: all that a record may need. */
static enum sc_drop decode_on(struct walker *x, struct sc_str body, const struct place *pl,
                              struct sc_take *take)
{
    const struct sc_proto_plan *plan = x->plan;
    const uint8_t *begin = (const uint8_t *)body.p;
    const uint32_t n_regs = plan->n_regs - x->n_slots;
    x->c = (struct sc_proto_cursor){.take = take, .begin = begin, .end = begin + body.len,
                                    .fields_left = SC_PROTO_FIELDS_MAX};
    x->regs = sc_arena_alloc(take->ar, sizeof(*x->regs) * n_regs);
    memcpy(x->regs, plan->start + x->n_slots, sizeof(*x->regs) * n_regs);
    x->builds = SC_NEW_N(take->ar, struct sc_items, plan->n_builds);
    x->marks = sc_arena_alloc(take->ar, sizeof(*x->marks) * plan->n_marks); /* frames set theirs */
    if (run_record(x, body, pl)) {
        sc_take_finish(take);
        return SC_DROP_NONE;
    }
    /* a joined message lies outside the record: then the place is the record's start */
    size_t at = (size_t)((uintptr_t)x->c.failed_at - (uintptr_t)x->c.begin);
    at = at <= body.len ? at : 0;
    return sc_fault_set(take->fault, x->c.drop, x->c.path.len ? x->c.path : SC_STR("$"),
                        "%s, at byte %zu of %zu", x->c.what, at, body.len);
}

static enum sc_drop proto_decode(const struct sc_decoder *d, struct sc_str body,
                                 struct sc_arena *ar, struct sc_value *slots,
                                 struct sc_fault *fault)
{
    const struct sc_proto_plan *plan = (const struct sc_proto_plan *)(const void *)d;
    const struct sc_proto_table *t = plan->root->table;
    struct level around[SC_DECODE_DEPTH];
    struct place pl = {t, 0, body.len, 0};
    struct walker x; /* what only decode_on needs it sets */
    x.plan = plan;
    x.n_slots = d->tree->n_slots;
    x.slots = slots;
    x.around = around;
    x.seen = SC_NEW_N(ar, bool, plan->n_seen);
    x.seen[t->seen] = true;
    memcpy(slots, plan->start, sizeof(*slots) * x.n_slots);
    if (plan->only_slots) {
        walk_short(&x, (const uint8_t *)body.p, 0, &pl);
        if (pl.at == pl.n && pl.depth == 0) {
            close_parts(&x, plan->root);
            return SC_DROP_NONE;
        }
    }
    struct sc_take take = sc_take_start(d->tree, ar, slots, fault);
    return decode_on(&x, body, &pl, &take);
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
