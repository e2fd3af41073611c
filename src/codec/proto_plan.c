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

static void flush_add(struct compiler *co, enum sc_proto_end kind, uint32_t from, uint32_t seen,
                      const struct sc_want_node *w, const struct sc_proto_message *m)
{
    if (kind == SC_PROTO_END_REG && w->only_slot >= 0)
        SC_VEC_PUSH(co->ar, &co->frame->moves,
                    ((struct sc_proto_move){from, (uint32_t)w->only_slot}));
    else
        SC_VEC_PUSH(co->ar, &co->frame->flushes,
                    ((struct sc_proto_flush){kind, from, seen, w, m}));
}

/* Does `[*]` alone make anything of what stands here? */
static bool has_sinks(const struct sc_want_node *w, bool array)
{
    for (uint32_t i = 0; i < w->n_sinks; i++)
        if (!(array && w->sinks[i].spread))
            return true;
    return false;
}

/* The lists below `w`, each with a mark that the frame sets. */
static void collect_marks(struct compiler *co, const struct sc_want_node *w,
                          struct sc_proto_region *to)
{
    for (uint32_t i = 0; i < w->n_sinks; i++) {
        if (w->sinks[i].mode == SC_SINK_SET)
            continue;
        struct sc_proto_mark mark = {w->sinks[i].list, co->plan->n_marks++};
        struct sc_proto_mark *more = SC_NEW_N(co->ar, struct sc_proto_mark, to->n_marks + 1);
        if (to->n_marks)
            memcpy(more, to->marks, sizeof(*more) * to->n_marks);
        more[to->n_marks++] = mark;
        to->marks = more;
        SC_VEC_PUSH(co->ar, &co->frame->marks, mark);
    }
    for (const struct sc_want_node *c = w->child; c; c = c->next)
        collect_marks(co, c, to);
    if (w->all)
        collect_marks(co, w->all, to);
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
    } else if (w->n_sinks) {
        spot->reg = co->plan->n_regs++;
        flush_add(co, SC_PROTO_END_REG, spot->reg, SC_PROTO_NONE, w, NULL);
    }
    if (w->n_fields) {
        spot->sub = compile_table(co, f->message, w);
        if (spot->sub == NULL)
            return false;
    }
    region_close(co, &spot->region);
    return true;
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

static bool compile_repeated(struct compiler *co, struct sc_proto_entry *e, uint32_t seen)
{
    const struct sc_want_node *w = e->want;
    const struct sc_proto_field *f = e->field, *value = value_field(f);
    e->counter = w->n_indices ? co->plan->n_regs++ : SC_PROTO_NONE;
    if (has_sinks(w, !f->map)) {
        e->values = co->plan->n_builds++;
        flush_add(co, f->map ? SC_PROTO_END_MAP : SC_PROTO_END_LIST, e->values, seen, w, NULL);
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
            collect_marks(co, c, &spot->region);
    }
    const struct sc_want_node *all = f->map ? NULL : w->all;
    const char *not = all ? obstacle(&(struct sc_proto_field){
        .kind = f->kind, .message = f->message}, all) : NULL;
    if (not)
        return refuse(co, all, not);
    return !all || !all->n_fields || compile_each(co, f->message, all, &e->each);
}

static bool compile_entry(struct compiler *co, struct sc_proto_entry *e,
                          const struct sc_proto_field *f, const struct sc_want_node *w,
                          uint32_t seen)
{
    const char *not = obstacle(f, w);
    *e = (struct sc_proto_entry){.field = f, .want = w, .wire = sc_proto_wire_of(f->kind),
                                 .counter = SC_PROTO_NONE, .values = SC_PROTO_NONE};
    if (not)
        return refuse(co, w, not);
    e->mode = f->map ? SC_PROTO_MAP : f->repeated ? SC_PROTO_REPEATED : SC_PROTO_SINGLE;
    if (e->mode != SC_PROTO_SINGLE)
        return compile_repeated(co, e, seen);
    e->spots = SC_NEW(co->ar, struct sc_proto_spot);
    e->n_spots = 1;
    return compile_spot(co, f, w, e->spots);
}

static void zeros_add(struct compiler *co, struct sc_proto_table *t)
{
    t->zeros = sc_arena_zalloc(co->ar, sizeof(*t->zeros) * (t->n_entries + 1));
    for (uint32_t i = 0; i < t->n_entries; i++) {
        const struct sc_proto_entry *e = &t->entries[i];
        if (e->mode != SC_PROTO_SINGLE || e->field->presence || e->spots->reg == SC_PROTO_NONE)
            continue;
        t->zeros[t->n_zeros].reg = e->spots->reg;
        t->zeros[t->n_zeros++].zero = sc_proto_zero(e->field);
    }
}

/* Every member of a oneof forgets the wanted others; members nobody wants get an entry for that. */
static void link_oneofs(struct compiler *co, struct sc_proto_table *t, uint32_t n_wanted)
{
    for (uint32_t i = 0; i < n_wanted; i++)
        if (t->entries[i].field->oneof >= 0)
            collect_marks(co, t->entries[i].want, &t->entries[i].spots->region);
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

static struct sc_proto_fused skipped(uint32_t wire)
{
    enum sc_proto_short does = wire == SC_WIRE_LEN      ? SC_PROTO_SKIP_LEN
                               : wire == SC_WIRE_VARINT ? SC_PROTO_SKIP_VARINT
                               : wire == SC_WIRE_64     ? SC_PROTO_SKIP_64
                               : wire == SC_WIRE_32     ? SC_PROTO_SKIP_32
                                                        : SC_PROTO_LONG_WAY;
    return (struct sc_proto_fused){.does = (uint8_t)does};
}

/* A wanted field with its own wire type. */
static struct sc_proto_fused fused(const struct sc_proto_table *t, uint32_t entry)
{
    const struct sc_proto_entry *e = &t->entries[entry];
    const struct sc_proto_spot *spot = e->spots;
    struct sc_proto_fused f = {.does = SC_PROTO_LONG_WAY, .entry = (uint8_t)entry};
    if (e->mode != SC_PROTO_SINGLE || e->n_forgets)
        return f;
    if (is_message(e->field)) {
        bool parts = spot->sub && spot->reg == SC_PROTO_NONE && spot->chunks == SC_PROTO_NONE;
        f.does = parts ? SC_PROTO_PART : SC_PROTO_LONG_WAY;
    } else if (spot->reg <= UINT16_MAX) {
        f.reg = (uint16_t)spot->reg;
        f.does = e->field->kind == SC_PROTO_STRING   ? SC_PROTO_TEXT
                 : e->field->kind == SC_PROTO_INT64  ? SC_PROTO_INT
                 : e->field->kind == SC_PROTO_DOUBLE ? SC_PROTO_NUMBER
                                                     : SC_PROTO_LONG_WAY;
    }
    return f;
}

/* Tags of one byte: fields 1 to 15. An entry stands for each of its wire types: packed or not. */
static void fuse(struct sc_proto_table *t)
{
    for (uint32_t tag = 8; tag < 128; tag++)
        t->by_tag[tag] = skipped(tag & 7);
    for (uint32_t i = 0; i < t->n_entries; i++) {
        const struct sc_proto_entry *e = &t->entries[i];
        if (e->field->number > 15)
            break; /* by number */
        uint32_t tag = e->field->number << 3;
        if (sc_proto_packable(e->field))
            t->by_tag[tag | SC_WIRE_LEN] = (struct sc_proto_fused){.does = SC_PROTO_LONG_WAY};
        t->by_tag[tag | (uint32_t)e->wire] = fused(t, i);
    }
}

static struct sc_proto_table *compile_table(struct compiler *co, const struct sc_proto_message *m,
                                            const struct sc_want_node *w)
{
    struct sc_proto_table *t = SC_NEW(co->ar, struct sc_proto_table);
    t->message = m;
    t->want = w;
    t->seen = co->plan->n_regs++;
    t->entries = SC_NEW_N(co->ar, struct sc_proto_entry, w->n_fields + m->fields.n);
    for (const struct sc_want_node *c = w->child; c; c = c->next) {
        const struct sc_proto_field *f =
            c->kind == SC_STEP_FIELD ? sc_proto_field_by_name(m, c->name) : NULL;
        if (f && !compile_entry(co, &t->entries[t->n_entries++], f, c, t->seen))
            return NULL;
    }
    link_oneofs(co, t, t->n_entries);
    zeros_add(co, t);
    qsort(t->entries, t->n_entries, sizeof(*t->entries), by_number);
    fuse(t);
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
    bool ok = not ? refuse(&co, root, not) : compile_each(&co, message, root, &plan->root);
    *why = co.why;
    return ok ? plan : NULL;
}
