/* Compiling an Avro schema and the wanted paths into a plan (avro_plan.h). Load time only. */
#include "codec/avro_plan.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/vec.h"

/* A subprogram: record `type` read for `want`. */
struct sub {
    const struct sc_avro_type *type;
    const struct sc_want_node *want;
    struct sub *next; /* of the same record */
    uint32_t index;
    bool lenient;
};

struct compiler {
    struct sc_arena *ar;
    SC_VEC(struct sc_avro_op) ops;
    SC_VEC(struct sc_avro_note) notes; /* by op */
    SC_VEC(struct sub *) subs;
    struct sub **subs_of;   /* by record id */
    uint32_t label;         /* ops before it are reached by jumps: nothing merges into them */
    unsigned lenient;       /* inside a union of several: another branch may hold the path */
    unsigned depth;
    struct sc_str why;
};

static bool compile(struct compiler *co, const struct sc_avro_type *t,
                    const struct sc_want_node *w, struct sc_str path);

static bool refuse(struct compiler *co, const struct sc_want_node *w, const char *what)
{
    co->why = sc_str_printf(co->ar, "%.*s: %s", SC_STR_FMT(w->path), what);
    return false;
}

static struct sc_avro_op *emit(struct compiler *co, enum sc_avro_code code, struct sc_str path)
{
    struct sc_avro_op *op = SC_VEC_ADD(co->ar, &co->ops);
    op->code = (uint8_t)code;
    SC_VEC_PUSH(co->ar, &co->notes, ((struct sc_avro_note){.path = path}));
    return op;
}

static uint32_t here(struct compiler *co)
{
    return co->label = co->ops.n;
}

/* A value is passed over: with the one before it when its size is fixed, or both are numbers. */
static void emit_skip(struct compiler *co, struct sc_avro_skip skip, struct sc_str path)
{
    struct sc_avro_op *last = co->ops.n > co->label ? &co->ops.v[co->ops.n - 1] : NULL;
    bool number = skip.odd == SC_AVRO_SKIP_VARINT, fixed = skip.odd == SC_AVRO_SKIP_FIXED;
    bool numbers = last && last->code == SC_AVRO_SKIP_NUMBERS;
    bool skips = numbers || (last && last->code == SC_AVRO_SKIP);
    if (fixed && skips && last->skip.n <= INT32_MAX && skip.n <= INT32_MAX) {
        last->skip.n += skip.n;
    } else if (number && numbers && last->skip.n == 1) {
        last->n++;
    } else if (!fixed || skip.n > 0) {
        last = emit(co, number ? SC_AVRO_SKIP_NUMBERS : SC_AVRO_SKIP, path);
        last->n = 1;
        last->skip = skip;
    }
}

/* How to pass over a value of `t` with one op; false when it takes more. */
static bool simple_skip(const struct sc_avro_type *t, struct sc_avro_skip *out)
{
    *out = (struct sc_avro_skip){SC_AVRO_SKIP_FIXED, 0, 0};
    switch (t->kind) {
    case SC_AVRO_NULL: return true;
    case SC_AVRO_BOOLEAN: out->n = 1; return true;
    case SC_AVRO_FLOAT: out->n = 4; return true;
    case SC_AVRO_DOUBLE: out->n = 8; return true;
    case SC_AVRO_FIXED: out->n = t->size; return true;
    case SC_AVRO_INT:
    case SC_AVRO_LONG:
    case SC_AVRO_ENUM: *out = (struct sc_avro_skip){SC_AVRO_SKIP_VARINT, 1, 0}; return true;
    case SC_AVRO_BYTES:
    case SC_AVRO_STRING: *out = (struct sc_avro_skip){SC_AVRO_SKIP_BYTES, 1, UINT32_MAX - 1}; return true;
    case SC_AVRO_RECORD:
    case SC_AVRO_ARRAY:
    case SC_AVRO_MAP:
    case SC_AVRO_UNION: return false;
    }
    SC_UNREACHABLE("avro kind");
}

/* Why a value of `t` cannot hold the steps below `w`, or NULL. */
static const char *obstacle(const struct sc_avro_type *t, const struct sc_want_node *w)
{
    bool elements = w->n_indices || (w->all && !w->all->implied);
    if (t->kind == SC_AVRO_UNION || t->kind == SC_AVRO_NULL)
        return NULL;
    if (elements && t->kind != SC_AVRO_ARRAY)
        return "is no array in the writer's schema";
    if (w->n_fields && t->kind == SC_AVRO_ARRAY)
        return "is an array in the writer's schema: [*] takes a field of all its elements";
    if (w->n_fields && t->kind != SC_AVRO_RECORD && t->kind != SC_AVRO_MAP)
        return "has no fields in the writer's schema";
    return NULL;
}

static struct sc_str field_path(struct compiler *co, struct sc_str path, struct sc_str name)
{
    return sc_str_printf(co->ar, "%.*s.%.*s", SC_STR_FMT(path), SC_STR_FMT(name));
}

static bool compile_fields(struct compiler *co, const struct sc_avro_type *t,
                           const struct sc_want_node *w, struct sc_str path)
{
    for (uint32_t i = 0; i < t->n; i++) {
        const struct sc_avro_field *f = &t->fields[i];
        const struct sc_want_node *child = w && w->n_fields ? sc_want_field(w, f->name) : NULL;
        if (!compile(co, f->type, child, field_path(co, path, f->name)))
            return false;
    }
    return true;
}

static uint32_t sub_of(struct compiler *co, const struct sc_avro_type *t,
                       const struct sc_want_node *w)
{
    bool lenient = co->lenient > 0;
    for (struct sub *s = co->subs_of[t->id]; s; s = s->next)
        if (s->want == w && s->lenient == lenient)
            return s->index;
    struct sub *s = SC_NEW(co->ar, struct sub);
    *s = (struct sub){t, w, co->subs_of[t->id], co->subs.n, lenient};
    co->subs_of[t->id] = s;
    SC_VEC_PUSH(co->ar, &co->subs, s);
    return s->index;
}

static bool compile_record(struct compiler *co, const struct sc_avro_type *t,
                           const struct sc_want_node *w, struct sc_str path)
{
    if (t->places <= 1)
        return compile_fields(co, t, w, path);
    if (w && w->n_fields == 0)
        w = NULL;
    emit(co, SC_AVRO_CALL, path)->n = sub_of(co, t, w);
    return true;
}

static bool compile_body(struct compiler *co, const struct sc_avro_type *item,
                         const struct sc_want_node *w, struct sc_str path, uint32_t *to)
{
    *to = here(co);
    if (!compile(co, item, w, path))
        return false;
    emit(co, SC_AVRO_END, path);
    return true;
}

static bool compile_loop(struct compiler *co, const struct sc_avro_type *t,
                         const struct sc_want_node *w, struct sc_str path)
{
    struct sc_avro_loop *loop = SC_NEW(co->ar, struct sc_avro_loop);
    bool map = t->kind == SC_AVRO_MAP;
    const struct sc_want_node *all = w && !map ? w->all : NULL;
    uint32_t n_own = w == NULL ? 0 : map ? w->n_fields : w->n_indices;
    *loop = (struct sc_avro_loop){.map = map, .want = w, .all_wanted = all != NULL,
                                  .skip = all == NULL && n_own == 0};
    bool plain = loop->skip && simple_skip(t->item, &loop->each) && (map || loop->each.n > 0);
    const uint32_t at = co->ops.n;
    emit(co, plain ? SC_AVRO_SKIP_LOOP : SC_AVRO_LOOP, path)->loop = loop;
    struct sc_str each = sc_str_printf(co->ar, "%.*s[*]", SC_STR_FMT(path));
    if (!compile_body(co, t->item, all, each, &loop->all))
        return false;
    loop->own = SC_NEW_N(co->ar, struct sc_avro_body, n_own);
    for (const struct sc_want_node *c = n_own ? w->child : NULL; c; c = c->next) {
        if (c->kind != (map ? SC_STEP_FIELD : SC_STEP_INDEX))
            continue;
        struct sc_avro_body *own = &loop->own[loop->n_own++];
        own->want = c;
        if (!compile_body(co, t->item, c, c->path, &own->to))
            return false;
    }
    loop->after = here(co) - at;
    return true;
}

static bool compile_skip_union(struct compiler *co, const struct sc_avro_type *t,
                               struct sc_str path)
{
    struct sc_avro_skip *skips = SC_NEW_N(co->ar, struct sc_avro_skip, t->n);
    uint32_t null = t->n;
    for (uint32_t i = 0; i < t->n; i++) {
        if (!simple_skip(t->fields[i].type, &skips[i]))
            return false;
        if (t->fields[i].type->kind == SC_AVRO_NULL)
            null = i;
    }
    bool option = t->n == 2 && null < 2;
    struct sc_avro_op *op = emit(co, option ? SC_AVRO_SKIP_OPTION : SC_AVRO_SKIP_UNION, path);
    op->n = t->n;
    if (option) {
        op->null = (uint8_t)(2 * null);
        op->skip = skips[1 - null];
    } else {
        op->skips = skips;
    }
    return true;
}

/* Can any branch hold the path? And is there more than one that may have to? */
static bool union_holds(struct compiler *co, const struct sc_avro_type *t,
                        const struct sc_want_node *w, bool *several)
{
    unsigned kinds = 0, holding = 0;
    const char *what = NULL;
    for (uint32_t i = 0; i < t->n; i++) {
        if (t->fields[i].type->kind == SC_AVRO_NULL)
            continue;
        const char *not = obstacle(t->fields[i].type, w);
        kinds++;
        holding += not == NULL;
        what = not ? not : what;
    }
    *several = kinds > 1;
    return holding || kinds == 0 || co->lenient || refuse(co, w, what);
}

static bool compile_union(struct compiler *co, const struct sc_avro_type *t,
                          const struct sc_want_node *w, struct sc_str path)
{
    bool several = true;
    if (w == NULL && compile_skip_union(co, t, path))
        return true;
    if (w && !union_holds(co, t, w, &several))
        return false;
    uint32_t *jumps = SC_NEW_N(co->ar, uint32_t, t->n);
    uint32_t *exits = SC_NEW_N(co->ar, uint32_t, t->n);
    const uint32_t at = co->ops.n;
    struct sc_avro_op *op = emit(co, SC_AVRO_BRANCH, path);
    op->n = t->n;
    op->jumps = jumps;
    co->lenient += several;
    for (uint32_t i = 0; i < t->n; i++) {
        jumps[i] = here(co);
        if (!compile(co, t->fields[i].type, w, path))
            return false;
        exits[i] = co->ops.n;
        if (i + 1 < t->n)
            emit(co, SC_AVRO_JUMP, path);
    }
    co->lenient -= several;
    uint32_t after = here(co);
    for (uint32_t i = 0; i + 1 < t->n; i++) {
        co->ops.v[exits[i]].n = after - exits[i];
        if (jumps[i] == exits[i]) /* nothing but the jump: go there at once */
            jumps[i] = after;
    }
    for (uint32_t i = 0; i < t->n; i++)
        jumps[i] -= at;
    return true;
}

static enum sc_avro_code read_code(const struct sc_avro_type *t, const struct sc_want_node *w)
{
    bool plain = t->logical == SC_AVRO_PLAIN;
    if (w->only_slot < 0)
        return SC_AVRO_READ;
    if (t->kind == SC_AVRO_STRING)
        return SC_AVRO_READ_STRING;
    if (t->kind == SC_AVRO_DOUBLE)
        return SC_AVRO_READ_DOUBLE;
    if (t->kind == SC_AVRO_BOOLEAN)
        return SC_AVRO_READ_BOOL;
    if (t->kind == SC_AVRO_INT && plain)
        return SC_AVRO_READ_INT;
    if (t->kind == SC_AVRO_LONG && plain)
        return SC_AVRO_READ_LONG;
    return t->kind == SC_AVRO_LONG && t->logical == SC_AVRO_TIMESTAMP_MS ? SC_AVRO_READ_MILLIS
                                                                         : SC_AVRO_READ;
}

/* The ops for the sinks of `w`; true in *done when they pass over the value too. */
static void compile_sinks(struct compiler *co, const struct sc_avro_type *t,
                          const struct sc_want_node *w, struct sc_str path, bool *done)
{
    bool array = t->kind == SC_AVRO_ARRAY;
    bool parts = array ? w->all || w->n_indices
                       : (t->kind == SC_AVRO_RECORD || t->kind == SC_AVRO_MAP) && w->n_fields;
    bool counts = false;
    for (uint32_t i = 0; i < w->n_sinks; i++)
        counts = counts || !(array && w->sinks[i].spread);
    bool whole = sc_want_whole(w, array);
    *done = whole && !parts;
    if (!counts)
        return;
    enum sc_avro_code code = !whole ? SC_AVRO_MET : parts ? SC_AVRO_PEEK : read_code(t, w);
    emit(co, code, path)->n = (uint32_t)w->only_slot; /* where it matters there is one */
    co->notes.v[co->notes.n - 1] = (struct sc_avro_note){t, w, array, path};
}

static bool compile_value(struct compiler *co, const struct sc_avro_type *t,
                          const struct sc_want_node *w, struct sc_str path)
{
    struct sc_avro_skip skip;
    const char *not = w && !co->lenient ? obstacle(t, w) : NULL;
    bool done = false;
    if (not)
        return refuse(co, w, not);
    if (t->kind == SC_AVRO_UNION)
        return compile_union(co, t, w, path);
    if (w && t->kind != SC_AVRO_NULL)
        compile_sinks(co, t, w, path, &done);
    if (done)
        return true;
    if (simple_skip(t, &skip)) {
        emit_skip(co, skip, path);
        return true;
    }
    return t->kind == SC_AVRO_RECORD ? compile_record(co, t, w, path)
                                     : compile_loop(co, t, w, path);
}

static bool compile(struct compiler *co, const struct sc_avro_type *t,
                    const struct sc_want_node *w, struct sc_str path)
{
    if (co->ops.n > SC_AVRO_OPS_MAX) {
        co->why = SC_STR("the schema is too large");
        return false;
    }
    co->depth++;
    SC_ASSERT(co->depth <= 2 * SC_DECODE_DEPTH);
    bool ok = compile_value(co, t, w, path);
    co->depth--;
    return ok;
}

static bool compile_all(struct compiler *co, const struct sc_avro_type *root,
                        const struct sc_want_node *w)
{
    if (!compile(co, root, w, SC_STR("$")))
        return false;
    emit(co, SC_AVRO_END, SC_STR("$"));
    return true;
}

/* The subprograms, and those that they need in turn. */
static bool compile_subs(struct compiler *co, uint32_t **starts)
{
    SC_VEC(uint32_t) at = {0};
    for (uint32_t i = 0; i < co->subs.n; i++) {
        const struct sub *s = co->subs.v[i];
        struct sc_str path = s->want ? s->want->path : s->type->name;
        SC_VEC_PUSH(co->ar, &at, here(co));
        co->lenient = s->lenient;
        if (!compile_fields(co, s->type, s->want, path))
            return false;
        emit(co, SC_AVRO_END, path);
    }
    *starts = at.v;
    return true;
}

struct sc_avro_plan *sc_avro_plan_compile(const struct sc_avro_schema *schema,
                                          const struct sc_projection *want, struct sc_arena *ar,
                                          struct sc_str *why)
{
    SC_ASSERT(schema->root != NULL);
    struct compiler co = {.ar = ar};
    struct sc_avro_plan *plan = SC_NEW(ar, struct sc_avro_plan);
    uint32_t *starts = NULL;
    plan->base.tree = sc_want_build(want, ar);
    co.subs_of = SC_NEW_N(ar, struct sub *, schema->n_records);
    if (!compile_all(&co, schema->root, plan->base.tree->root) || !compile_subs(&co, &starts)) {
        *why = co.why;
        return NULL;
    }
    plan->ops = co.ops.v;
    plan->notes = co.notes.v;
    plan->n_ops = co.ops.n;
    plan->subs = starts;
    return plan;
}
