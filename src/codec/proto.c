/* Protobuf in: walking a record with the tables of a plan (proto_plan.h).
 *
 * A field nobody wants is passed over by its wire type, a message nobody wants by its length: what
 * is inside is not looked at. A field whose wire type is not its schema's is unknown, as it is to
 * Protobuf's own parsers. Repeated scalars are taken packed or not. Cost: a table look-up a field, by
 * its tag where that is one byte: a dozen instructions for one that nobody wants. */
#include "codec/proto_plan.h"
#include "codec/proto_read.h"

#include "base/arena.h"
#include "base/assert.h"

#include <endian.h>

struct walker {
    struct sc_proto_cursor c;
    struct sc_value *regs;
    struct sc_items *builds;
    uint32_t *marks;
};

static bool walk(struct walker *x, const struct sc_proto_table *t, struct sc_str bytes,
                 unsigned depth);

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

static void forget(struct walker *x, const struct sc_proto_region *r)
{
    memset(x->regs + r->reg, 0, sizeof(*x->regs) * r->n_regs);
    if (r->n_builds)
        memset(x->builds + r->build, 0, sizeof(*x->builds) * r->n_builds);
    for (uint32_t i = 0; i < r->n_marks; i++)
        x->c.take->lists[r->marks[i].list].n = x->marks[r->marks[i].mark];
}

static bool spot_message(struct walker *x, const struct sc_proto_spot *spot, struct sc_str bytes,
                         unsigned depth)
{
    if (spot->reg != SC_PROTO_NONE)
        x->regs[spot->reg] = sc_bool(true);
    if (spot->chunks != SC_PROTO_NONE &&
        !build(x, spot->chunks, sc_string(bytes), (const uint8_t *)bytes.p))
        return false;
    return spot->sub == NULL || walk(x, spot->sub, bytes, depth + 1);
}

static struct sc_value flushed(struct walker *x, const struct sc_proto_flush *f, bool *ok)
{
    struct sc_value v = sc_absent();
    bool twice;
    *ok = true;
    if (f->seen != SC_PROTO_NONE && x->regs[f->seen].type == SC_T_ABSENT)
        return v;
    switch (f->kind) {
    case SC_PROTO_END_REG: return x->regs[f->from];
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

/* What a frame holds starts, is walked, and goes to the sinks. */
static bool run_frame(struct walker *x, const struct sc_proto_frame *frame, struct sc_str bytes,
                      unsigned depth)
{
    bool ok = true;
    forget(x, &frame->region);
    for (uint32_t i = 0; i < frame->marks.n; i++)
        x->marks[frame->marks.v[i].mark] = x->c.take->lists[frame->marks.v[i].list].n;
    if (!walk(x, frame->table, bytes, depth))
        return false;
    for (uint32_t i = 0; i < frame->moves.n; i++)
        x->c.take->slots[frame->moves.v[i].slot] = x->regs[frame->moves.v[i].from];
    for (uint32_t i = 0; i < frame->flushes.n; i++) {
        const struct sc_proto_flush *f = &frame->flushes.v[i];
        struct sc_value v = f->kind == SC_PROTO_END_REG ? x->regs[f->from] : flushed(x, f, &ok);
        if (!ok)
            return blame(x, f->want->path);
        if (!sc_take_put(x->c.take, f->want, v, f->kind == SC_PROTO_END_LIST)) {
            full(x, (const uint8_t *)bytes.p);
            return blame(x, f->want->path);
        }
    }
    return true;
}

/* The spot for the element that comes now, or NULL; counts it. */
static const struct sc_proto_spot *next_spot(struct walker *x, const struct sc_proto_entry *e)
{
    if (e->counter == SC_PROTO_NONE)
        return NULL;
    struct sc_value *count = &x->regs[e->counter];
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
        x->regs[spot->reg] = v;
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
    return e->each == NULL || run_frame(x, e->each, bytes, depth + 1);
}

static bool repeated(struct walker *x, const struct sc_proto_entry *e, uint32_t wire,
                     const uint8_t **p, const uint8_t *end, unsigned depth)
{
    struct sc_value v;
    struct sc_str bytes;
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
            x->regs[spot->reg] = v;
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
        x->regs[e->spots->reg] = v;
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

/* The short way (proto_plan.h): what is behind the field, or NULL: the long way is to be taken, unless
 * a fault is set. At least two bytes are left. */
static inline const uint8_t *short_field(struct walker *x, const struct sc_proto_table *t,
                                         const uint8_t *p, const uint8_t *end, unsigned depth)
{
    const struct sc_proto_fused f = t->by_tag[*p];
    const uint8_t *value = p + 1, *text = p + 2; /* of a short text, behind its length */
    const size_t left = (size_t)(end - text), len = *value;
    uint64_t u = len;
    switch ((enum sc_proto_short)f.does) {
    case SC_PROTO_LONG_WAY: return NULL;
    case SC_PROTO_SKIP_LEN: return len < 0x80 && len <= left ? text + len : NULL;
    case SC_PROTO_SKIP_VARINT:
        return len < 0x80 || sc_varint(&value, end, &u) == SC_DROP_NONE ? value + (len < 0x80)
                                                                        : NULL;
    case SC_PROTO_SKIP_64: return left >= 7 ? p + 9 : NULL;
    case SC_PROTO_SKIP_32: return left >= 3 ? p + 5 : NULL;
    case SC_PROTO_TEXT:
        if (len >= 0x80 || len > left || !sc_utf8_ok((struct sc_str){(const char *)text, len}))
            return NULL;
        x->regs[f.reg] = sc_string((struct sc_str){(const char *)text, len});
        return text + len;
    case SC_PROTO_INT:
        if (sc_varint(&value, end, &u) != SC_DROP_NONE)
            return NULL;
        x->regs[f.reg] = sc_int((int64_t)u);
        return value;
    case SC_PROTO_NUMBER:
        if (left < 7)
            return NULL;
        memcpy(&u, value, sizeof(u));
        x->regs[f.reg] = (struct sc_value){.type = SC_T_DOUBLE, .u = le64toh(u)};
        return p + 9;
    case SC_PROTO_PART:
        if (len >= 0x80 || len > left)
            return NULL;
        return walk(x, t->entries[f.entry].spots->sub,
                    (struct sc_str){(const char *)text, len}, depth + 1) ? text + len : NULL;
    }
    SC_UNREACHABLE("a way to take a field");
}

/* One field of the message; `e` is NULL when nobody cares. */
static inline bool field(struct walker *x, const struct sc_proto_entry *e, struct sc_wire_tag tag,
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

static bool walk(struct walker *x, const struct sc_proto_table *t, struct sc_str bytes,
                 unsigned depth)
{
    const uint8_t *p = (const uint8_t *)bytes.p, *end = p + bytes.len;
    if (depth >= SC_DECODE_DEPTH) {
        sc_proto_bad(&x->c, p, SC_DROP_DEPTH, "nested too deep");
        return blame(x, t->want->path);
    }
    if (x->regs[t->seen].type == SC_T_ABSENT) {
        x->regs[t->seen] = sc_bool(true);
        for (uint32_t i = 0; i < t->n_zeros; i++)
            x->regs[t->zeros[i].reg] = t->zeros[i].zero;
    }
    while (p < end) {
        struct sc_wire_tag tag;
        const uint8_t *behind = end - p >= 2 ? short_field(x, t, p, end, depth) : NULL;
        if (behind != NULL) {
            p = behind;
            continue;
        }
        if (x->c.drop != SC_DROP_NONE)
            return false; /* inside of a part, which has said where */
        if (!sc_proto_checked(&x->c, p, sc_wire_tag(&p, end, &tag)))
            return blame(x, t->want->path);
        const struct sc_proto_entry *e = find(t, tag.number);
        if (!field(x, e, tag, &p, end, depth))
            return blame(x, e && e->want ? e->want->path : t->want->path);
    }
    return true;
}

static bool run_record(struct walker *x, const struct sc_proto_plan *plan, struct sc_str body)
{
    const struct sc_want_node *root = plan->base.tree->root;
    struct sc_value v = sc_bool(true);
    if (sc_want_whole(root, false) &&
        !sc_proto_whole(&x->c, plan->root->table->message, body, 0, &v))
        return blame(x, root->path);
    return run_frame(x, plan->root, body, 0) &&
           (sc_take_put(x->c.take, root, v, false) || full(x, x->c.begin));
}

static enum sc_drop proto_decode(const struct sc_decoder *d, struct sc_str body,
                                 struct sc_take *take)
{
    const struct sc_proto_plan *plan = (const struct sc_proto_plan *)(const void *)d;
    const uint8_t *begin = (const uint8_t *)body.p;
    struct walker x = {.c = {.take = take, .begin = begin, .end = begin + body.len,
                              .fields_left = SC_PROTO_FIELDS_MAX}};
    /* not zeroed: the root frame's region is all of them, and each frame sets its marks */
    x.regs = sc_arena_alloc(take->ar, sizeof(*x.regs) * plan->n_regs);
    x.builds = sc_arena_alloc(take->ar, sizeof(*x.builds) * plan->n_builds);
    x.marks = sc_arena_alloc(take->ar, sizeof(*x.marks) * plan->n_marks);
    if (run_record(&x, plan, body))
        return SC_DROP_NONE;
    /* a joined message lies outside the record: then the place is the record's start */
    size_t at = (size_t)((uintptr_t)x.c.failed_at - (uintptr_t)x.c.begin);
    at = at <= body.len ? at : 0;
    return sc_fault_set(take->fault, x.c.drop, x.c.path.len ? x.c.path : SC_STR("$"),
                        "%s, at byte %zu of %zu", x.c.what, at, body.len);
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
