/* Compiling a Protobuf message and the wanted paths into tables (proto_plan.h). Load time only. */
#include "codec/proto_plan.h"

#include "base/arena.h"
#include "base/assert.h"
#include "codec/proto_read.h"

#include <stdlib.h>

struct compiler {
    struct sc_arena *ar;
    struct sc_proto_plan *plan;
    struct sc_proto_frame *frame; /* innermost */
    SC_VEC(struct sc_proto_zero) zeros; /* of the frames' own messages: they have come */
    struct sc_str why;
};

static struct sc_proto_table *compile_table(struct compiler *co, const struct sc_proto_message *m,
                                            const struct sc_want_node *w);

static bool refuse(struct compiler *co, const struct sc_want_node *w, const char *what)
{
    co->why = sc_str_printf(co->ar, "%.*s: %s", SC_STR_FMT(w->path), what);
    return false;
}

static bool is_message(const struct sc_proto_field *f)
{
    return f->kind == SC_PROTO_MESSAGE;
}

/* Why the field cannot hold the steps below `w`, or NULL. */
static const char *obstacle(const struct sc_proto_field *f, const struct sc_want_node *w)
{
    bool elements = w->n_indices || (w->all && !w->all->implied);
    if (f->kind == SC_PROTO_UNRESOLVED)
        return "is of a type that neither the schema nor its references define";
    if (f->kind == SC_PROTO_GROUP)
        return "is a group, which paths cannot enter";
    if (elements && (!f->repeated || f->map))
        return "is not repeated in the writer's schema";
    if (w->n_fields && f->repeated && !f->map)
        return "is repeated in the writer's schema: [*] takes a field of all its elements";
    if (w->n_fields && !is_message(f))
        return "has no fields in the writer's schema";
    return NULL;
}

struct sc_value sc_proto_zero(const struct sc_proto_field *f)
{
    const struct sc_str *name;
    switch (f->kind) {
    case SC_PROTO_DOUBLE:
    case SC_PROTO_FLOAT: return sc_double(0);
    case SC_PROTO_BOOL: return sc_bool(false);
    case SC_PROTO_STRING: return sc_string(SC_STR(""));
    case SC_PROTO_BYTES: return (struct sc_value){.type = SC_T_BYTES, .s = ""};
    case SC_PROTO_ENUM:
        name = sc_proto_enum_name(f->enumeration, 0);
        return name ? sc_string(*name) : sc_int(0);
    case SC_PROTO_INT64:
    case SC_PROTO_UINT64:
    case SC_PROTO_INT32:
    case SC_PROTO_FIXED64:
    case SC_PROTO_FIXED32:
    case SC_PROTO_UINT32:
    case SC_PROTO_SFIXED32:
    case SC_PROTO_SFIXED64:
    case SC_PROTO_SINT32:
    case SC_PROTO_SINT64: return sc_int(0);
    case SC_PROTO_MESSAGE:
    case SC_PROTO_GROUP:
    case SC_PROTO_UNRESOLVED: return sc_absent();
    }
    SC_UNREACHABLE("proto kind");
}

static void flush_add(struct compiler *co, enum sc_proto_end kind, uint32_t from, uint32_t come,
                      const struct sc_want_node *w, const struct sc_proto_message *m)
{
    SC_VEC_PUSH(co->ar, &co->frame->flushes, ((struct sc_proto_flush){kind, from, come, w, m}));
}

/* Does `[*]` alone make anything of what stands here? */
static bool has_sinks(const struct sc_want_node *w, bool array)
{
    for (uint32_t i = 0; i < w->n_sinks; i++)
        if (!(array && w->sinks[i].spread))
            return true;
    return false;
}

/* What goes back when `w` is forgotten: its slots, and its lists, each with a mark that the frame
 * sets. */
static void collect(struct compiler *co, const struct sc_want_node *w, struct sc_proto_region *to)
{
    if (w->only_slot >= 0)
        SC_VEC_PUSH(co->ar, &to->slots, (uint32_t)w->only_slot);
    for (uint32_t i = 0; i < w->n_sinks; i++) {
        if (w->sinks[i].mode == SC_SINK_SET)
            continue;
        struct sc_proto_mark mark = {w->sinks[i].list, co->plan->n_marks++};
        SC_VEC_PUSH(co->ar, &to->marks, mark);
        SC_VEC_PUSH(co->ar, &co->frame->marks, mark);
    }
    for (const struct sc_want_node *c = w->child; c; c = c->next)
        collect(co, c, to);
    if (w->all)
        collect(co, w->all, to);
}

static struct sc_proto_region region_open(const struct compiler *co)
{
    return (struct sc_proto_region){.reg = co->plan->n_regs, .build = co->plan->n_builds};
}

static void region_close(const struct compiler *co, struct sc_proto_region *r)
{
    r->n_regs = co->plan->n_regs - r->reg;
    r->n_builds = co->plan->n_builds - r->build;
}

static bool compile_spot(struct compiler *co, const struct sc_proto_field *f,
                         const struct sc_want_node *w, struct sc_proto_spot *spot)
{
    *spot = (struct sc_proto_spot){.want = w, .reg = SC_PROTO_NONE, .chunks = SC_PROTO_NONE,
                                   .region = region_open(co)};
    if (is_message(f) && sc_want_whole(w, false)) {
        spot->chunks = co->plan->n_builds++;
        flush_add(co, SC_PROTO_END_MESSAGE, spot->chunks, SC_PROTO_NONE, w, f->message);
    } else if (w->only_slot >= 0) {
        spot->reg = (uint32_t)w->only_slot;
    } else if (w->n_sinks) {
        spot->reg = co->plan->n_regs++;
        flush_add(co, SC_PROTO_END_REG, spot->reg, SC_PROTO_NONE, w, NULL);
    }
    if (w->n_fields)
        spot->sub = compile_table(co, f->message, w);
    region_close(co, &spot->region);
    return w->n_fields == 0 || spot->sub != NULL;
}

/* Each element of a repeated message, in a frame of its own. */
static bool compile_each(struct compiler *co, const struct sc_proto_message *m,
                         const struct sc_want_node *all, struct sc_proto_frame **out)
{
    struct sc_proto_frame *outer = co->frame;
    struct sc_proto_frame *frame = SC_NEW(co->ar, struct sc_proto_frame);
    frame->region = region_open(co);
    co->frame = frame;
    frame->table = compile_table(co, m, all);
    for (uint32_t i = 0; frame->table && i < frame->table->zeros.n; i++)
        SC_VEC_PUSH(co->ar, &co->zeros, frame->table->zeros.v[i]);
    co->frame = outer;
    region_close(co, &frame->region);
    *out = frame;
    return frame->table != NULL;
}

/* The value field of a map's entry; the field itself otherwise. */
static const struct sc_proto_field *value_field(const struct sc_proto_field *f)
{
    return f->map ? sc_proto_field_by_number(f->message, 2) : f;
}

/* The register that says whether the message of `t` has come. */
static uint32_t come_of(struct compiler *co, struct sc_proto_table *t)
{
    if (t->come == SC_PROTO_NONE) {
        t->come = co->plan->n_regs++;
        SC_VEC_PUSH(co->ar, &t->zeros, ((struct sc_proto_zero){t->come, sc_bool(true)}));
    }
    return t->come;
}

static bool compile_repeated(struct compiler *co, struct sc_proto_table *t,
                             struct sc_proto_entry *e)
{
    const struct sc_want_node *w = e->want;
    const struct sc_proto_field *f = e->field, *value = value_field(f);
    e->counter = w->n_indices ? co->plan->n_regs++ : SC_PROTO_NONE;
    if (has_sinks(w, !f->map)) {
        e->values = co->plan->n_builds++;
        flush_add(co, f->map ? SC_PROTO_END_MAP : SC_PROTO_END_LIST, e->values, come_of(co, t), w,
                  NULL);
    }
    e->spots = SC_NEW_N(co->ar, struct sc_proto_spot, f->map ? w->n_fields : w->n_indices);
    for (const struct sc_want_node *c = w->child; c; c = c->next) {
        struct sc_proto_spot *spot = &e->spots[e->n_spots++];
        const char *not = obstacle(&(struct sc_proto_field){
            .kind = value->kind, .message = value->message}, c);
        if (not)
            return refuse(co, c, not);
        if (!compile_spot(co, value, c, spot))
            return false;
        if (f->map)
            collect(co, c, &spot->region);
    }
    const struct sc_want_node *all = f->map ? NULL : w->all;
    const char *not = all ? obstacle(&(struct sc_proto_field){
        .kind = f->kind, .message = f->message}, all) : NULL;
    if (not)
        return refuse(co, all, not);
    return !all || !all->n_fields || compile_each(co, f->message, all, &e->each);
}

static bool compile_entry(struct compiler *co, struct sc_proto_table *t,
                          const struct sc_proto_field *f, const struct sc_want_node *w)
{
    struct sc_proto_entry *e = &t->entries[t->n_entries++];
    const char *not = obstacle(f, w);
    *e = (struct sc_proto_entry){.field = f, .want = w, .wire = sc_proto_wire_of(f->kind),
                                 .counter = SC_PROTO_NONE, .values = SC_PROTO_NONE};
    if (not)
        return refuse(co, w, not);
    e->mode = f->map ? SC_PROTO_MAP : f->repeated ? SC_PROTO_REPEATED : SC_PROTO_SINGLE;
    if (e->mode != SC_PROTO_SINGLE)
        return compile_repeated(co, t, e);
    e->spots = SC_NEW(co->ar, struct sc_proto_spot);
    e->n_spots = 1;
    if (!compile_spot(co, f, w, e->spots))
        return false;
    if (!f->presence && e->spots->reg != SC_PROTO_NONE)
        SC_VEC_PUSH(co->ar, &t->zeros,
                    ((struct sc_proto_zero){e->spots->reg, sc_proto_zero(f)}));
    return true;
}

/* Every member of a oneof forgets the wanted others; members nobody wants get an entry for that. */
static void link_oneofs(struct compiler *co, struct sc_proto_table *t, uint32_t n_wanted)
{
    for (uint32_t i = 0; i < n_wanted; i++)
        if (t->entries[i].field->oneof >= 0)
            collect(co, t->entries[i].want, &t->entries[i].spots->region);
    for (uint32_t i = 0; i < t->message->fields.n; i++) {
        const struct sc_proto_field *f = &t->message->fields.v[i];
        struct sc_proto_entry *own = NULL;
        const struct sc_proto_region **forgets =
            SC_NEW_N(co->ar, const struct sc_proto_region *, f->oneof >= 0 ? n_wanted : 0);
        uint32_t n = 0;
        for (uint32_t k = 0; f->oneof >= 0 && k < n_wanted; k++) {
            if (t->entries[k].field == f)
                own = &t->entries[k];
            else if (t->entries[k].field->oneof == f->oneof)
                forgets[n++] = &t->entries[k].spots->region;
        }
        if (n == 0)
            continue;
        if (own == NULL) {
            own = &t->entries[t->n_entries++];
            *own = (struct sc_proto_entry){.field = f, .mode = SC_PROTO_IGNORED,
                                           .wire = sc_proto_wire_of(f->kind)};
        }
        own->forgets = forgets;
        own->n_forgets = n;
    }
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = ((const struct sc_proto_entry *)a)->field->number;
    uint32_t y = ((const struct sc_proto_entry *)b)->field->number;
    return x < y ? -1 : x > y;
}

static struct sc_proto_fused skipped(uint32_t tag)
{
    static const uint8_t by_wire[8] = { /* not a group, nor what does not exist */
        [SC_WIRE_VARINT] = SC_PROTO_SKIP_VARINT, [SC_WIRE_64] = SC_PROTO_SKIP_64,
        [SC_WIRE_LEN] = SC_PROTO_SKIP_LEN, [SC_WIRE_32] = SC_PROTO_SKIP_32};
    return (struct sc_proto_fused){.does = by_wire[tag & 7]};
}

/* How a wanted scalar is taken: the kinds that records have most. */
static enum sc_proto_short short_of(enum sc_proto_kind kind)
{
    switch (kind) {
    case SC_PROTO_STRING: return SC_PROTO_SHORT_TEXT;
    case SC_PROTO_INT64: return SC_PROTO_SHORT_INT64;
    case SC_PROTO_INT32: return SC_PROTO_SHORT_INT32;
    case SC_PROTO_BOOL: return SC_PROTO_SHORT_BOOL;
    case SC_PROTO_DOUBLE: return SC_PROTO_SHORT_DOUBLE;
    case SC_PROTO_UNRESOLVED:
    case SC_PROTO_FLOAT:
    case SC_PROTO_UINT64:
    case SC_PROTO_FIXED64:
    case SC_PROTO_FIXED32:
    case SC_PROTO_GROUP:
    case SC_PROTO_MESSAGE:
    case SC_PROTO_BYTES:
    case SC_PROTO_UINT32:
    case SC_PROTO_ENUM:
    case SC_PROTO_SFIXED32:
    case SC_PROTO_SFIXED64:
    case SC_PROTO_SINT32:
    case SC_PROTO_SINT64: return SC_PROTO_LONG_WAY;
    }
    SC_UNREACHABLE("proto kind");
}

/* The message that a field is, if nothing but slots is needed to go into it, or NULL. */
static const struct sc_proto_table *part_of(const struct compiler *co,
                                            const struct sc_proto_entry *e)
{
    const struct sc_proto_spot *spot = e->spots;
    if (e->mode != SC_PROTO_SINGLE || spot->sub == NULL || spot->reg != SC_PROTO_NONE ||
        spot->chunks != SC_PROTO_NONE)
        return NULL;
    for (uint32_t i = 0; i < spot->sub->zeros.n; i++)
        if (spot->sub->zeros.v[i].reg >= co->plan->base.tree->n_slots)
            return NULL;
    return spot->sub;
}

/* A wanted field with its own wire type. */
static struct sc_proto_fused fused(const struct sc_proto_table *t, uint32_t entry)
{
    const struct sc_proto_entry *e = &t->entries[entry];
    if (e->mode != SC_PROTO_SINGLE || e->n_forgets || entry > UINT16_MAX)
        return (struct sc_proto_fused){.does = SC_PROTO_LONG_WAY};
    if (t->parts[entry])
        return (struct sc_proto_fused){SC_PROTO_SHORT_PART, (uint16_t)entry};
    if (is_message(e->field) || e->want->only_slot < 0)
        return (struct sc_proto_fused){.does = SC_PROTO_LONG_WAY};
    return (struct sc_proto_fused){(uint8_t)short_of(e->field->kind), (uint16_t)e->spots->reg};
}

static void fuse_tag(struct sc_proto_table *t, uint32_t tag, struct sc_proto_fused f)
{
    if (tag < 128)
        t->by_tag[tag] = f;
    else if (tag < t->n_tags)
        t->by_long[tag] = f;
}

/* An entry stands for each of its wire types: packed or not. Tags of field 0 do not exist. */
static void fuse(const struct compiler *co, struct sc_proto_table *t)
{
    uint32_t most = 15;
    for (uint32_t i = 0; i < t->message->fields.n; i++)
        most = t->message->fields.v[i].number > most ? t->message->fields.v[i].number : most;
    t->n_tags = most < SC_PROTO_TAGS_MAX / 8 ? 8 * (most + 1) : SC_PROTO_TAGS_MAX;
    t->by_long = SC_NEW_N(co->ar, struct sc_proto_fused, t->n_tags);
    t->parts = SC_NEW_N(co->ar, const struct sc_proto_table *, t->n_entries);
    for (uint32_t byte = 128; byte < 256; byte++)
        t->by_tag[byte].does = SC_PROTO_SHORT_TAG;
    for (uint32_t tag = 8; tag < t->n_tags; tag++)
        fuse_tag(t, tag, skipped(tag));
    for (uint32_t i = 0; i < t->n_entries && t->entries[i].field->number < t->n_tags; i++) {
        const struct sc_proto_entry *e = &t->entries[i];
        uint32_t tag = e->field->number << 3;
        t->parts[i] = part_of(co, e);
        if (sc_proto_packable(e->field))
            fuse_tag(t, tag | SC_WIRE_LEN, (struct sc_proto_fused){.does = SC_PROTO_LONG_WAY});
        fuse_tag(t, tag | (uint32_t)e->wire, fused(t, i));
    }
}

static struct sc_proto_table *compile_table(struct compiler *co, const struct sc_proto_message *m,
                                            const struct sc_want_node *w)
{
    struct sc_proto_table *t = SC_NEW(co->ar, struct sc_proto_table);
    t->message = m;
    t->want = w;
    t->come = SC_PROTO_NONE;
    t->entries = SC_NEW_N(co->ar, struct sc_proto_entry, w->n_fields + m->fields.n);
    for (const struct sc_want_node *c = w->child; c; c = c->next) {
        const struct sc_proto_field *f =
            c->kind == SC_STEP_FIELD ? sc_proto_field_by_name(m, c->name) : NULL;
        if (f && !compile_entry(co, t, f, c))
            return NULL;
    }
    link_oneofs(co, t, t->n_entries);
    qsort(t->entries, t->n_entries, sizeof(*t->entries), by_number);
    fuse(co, t);
    return t;
}

struct sc_proto_plan *sc_proto_plan_compile(const struct sc_proto_message *message,
                                            const struct sc_projection *want, struct sc_arena *ar,
                                            struct sc_str *why)
{
    SC_ASSERT(message != NULL);
    struct sc_proto_plan *plan = SC_NEW(ar, struct sc_proto_plan);
    struct compiler co = {.ar = ar, .plan = plan};
    const struct sc_proto_field record = {.kind = SC_PROTO_MESSAGE, .message = message};
    plan->base.tree = sc_want_build(want, ar);
    const struct sc_want_node *root = plan->base.tree->root;
    const char *not = obstacle(&record, root);
    plan->n_regs = plan->base.tree->n_slots;
    bool ok = not ? refuse(&co, root, not) : compile_each(&co, message, root, &plan->root);
    struct sc_value *start = SC_NEW_N(ar, struct sc_value, plan->n_regs);
    for (uint32_t i = 0; i < co.zeros.n; i++)
        start[co.zeros.v[i].reg] = co.zeros.v[i].value;
    plan->start = start;
    plan->only_slots = ok && plan->n_regs == plan->base.tree->n_slots && plan->n_builds == 0 &&
                       plan->base.tree->n_lists == 0 && root->n_sinks == 0;
    *why = co.why;
    return ok ? plan : NULL;
}
