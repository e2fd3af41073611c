/* See redact.h. Each value's place is held against every path that is hidden: a line for people has
 * a few dozen of both, so no tree is built. */
#include "cli/redact.h"

#include "codec/decoder.h"
#include "codec/json_value.h"

#define SHOWN_DEPTH 60 /* of what the writer takes, less the line around it */

struct redact {
    const struct sc_source *src;
    const struct sc_taxonomy *tx;
    struct sc_jsonw *w;
    struct sc_step at[SHOWN_DEPTH + 1]; /* FIELD, or INDEX inside of a list */
    uint32_t n;
};

static bool step_fits(const struct sc_step *want, const struct sc_step *at)
{
    switch (want->kind) {
    case SC_STEP_FIELD:
        return at->kind == SC_STEP_FIELD && sc_str_eq(want->name, at->name);
    case SC_STEP_ALL:
        return at->kind == SC_STEP_INDEX;
    case SC_STEP_INDEX:
        return at->kind == SC_STEP_INDEX && at->index == want->index;
    }
    SC_UNREACHABLE("step");
}

static bool is_here(const struct redact *rd, const struct sc_mapping *map)
{
    if (map->op == SC_MAP_CONST || map->path.n != rd->n)
        return false;
    for (uint32_t i = 0; i < rd->n; i++)
        if (!step_fits(&map->path.steps[i], &rd->at[i]))
            return false;
    return true;
}

/* A field that is called as an identifier or a personal property, wherever it stands: dead letters
 * are the records in which things do not stand where they should. */
static const char *hidden_by_name(const struct redact *rd)
{
    const struct sc_step *step = &rd->at[rd->n - 1];
    if (step->kind != SC_STEP_FIELD)
        return NULL;
    if (sc_taxonomy_namespace(rd->tx, step->name) >= 0)
        return "<identifier>";
    for (uint32_t e = 0; e < rd->tx->n_events; e++) {
        int prop = sc_event_type_prop(&rd->tx->events[e], step->name);
        if (prop >= 0 && rd->tx->events[e].props[prop].pii)
            return "<pii>";
    }
    return NULL;
}

/* What stands in place of the value here, NULL: the value. */
static const char *hidden(const struct redact *rd)
{
    const struct sc_source *src = rd->src;
    for (uint32_t i = 0; i < src->n_idents; i++)
        if (is_here(rd, &src->idents[i].map))
            return "<identifier>";
    for (uint32_t e = 0; e < rd->tx->n_events; e++) {
        const struct sc_source_event *se = &src->events[e];
        for (uint32_t i = 0; i < se->n; i++)
            if (rd->tx->events[e].props[se->props[i].prop].pii && is_here(rd, &se->props[i].map))
                return "<pii>";
    }
    return rd->n ? hidden_by_name(rd) : NULL;
}

static void put(struct redact *rd, struct sc_value v)
{
    const char *instead = sc_is_value(v) ? hidden(rd) : NULL;
    struct sc_step *step = &rd->at[rd->n];
    if (instead) {
        sc_jsonw_strz(rd->w, instead);
        return;
    }
    if (v.type != SC_T_LIST && v.type != SC_T_MAP) {
        sc_value_json(v, rd->w);
        return;
    }
    if (rd->n == SHOWN_DEPTH) {
        sc_jsonw_strz(rd->w, "<deeper>");
        return;
    }
    rd->n++;
    if (v.type == SC_T_LIST) {
        sc_jsonw_arr(rd->w);
        for (uint32_t i = 0; i < v.len; i++) {
            *step = (struct sc_step){.kind = SC_STEP_INDEX, .index = i};
            put(rd, v.list[i]);
        }
        sc_jsonw_arr_end(rd->w);
    } else {
        sc_jsonw_obj(rd->w);
        for (uint32_t i = 0; i < v.len; i++) {
            *step = (struct sc_step){.kind = SC_STEP_FIELD, .name = sc_value_str(v.map[2 * i])};
            sc_jsonw_key(rd->w, step->name);
            put(rd, v.map[2 * i + 1]);
        }
        sc_jsonw_obj_end(rd->w);
    }
    rd->n--;
}

bool sc_redact_json(const struct sc_source *src, const struct sc_taxonomy *tx, struct sc_str value,
                    struct sc_arena *ar, struct sc_jsonw *w)
{
    struct redact rd = {.src = src, .tx = tx, .w = w};
    struct sc_str body = value, why;
    struct sc_value v;
    uint32_t id;
    if (src->framed && value.len && value.p[0] == 0 &&
        sc_wire_read(value, &id, &body) != SC_DROP_NONE)
        return false;
    if (!sc_json_value(body, ar, &v, &why))
        return false;
    put(&rd, v);
    return true;
}
