/* See decoders.h. */
#include "engine/decoders.h"

#include "base/hash.h"
#include "base/log.h"
#include <stdio.h>
#include <stdlib.h>

#define NOT_FOUND_MS 30000 /* an id the registry does not know is asked for again after it */

struct plan {
    const struct sc_decoder *decoder; /* NULL: the schema cannot be used, `why` says so */
    enum sc_drop drop;
    struct sc_str why;
    int64_t until_ms; /* SC_DROP_SCHEMA_UNKNOWN: when to ask again */
};

struct sc_decoders {
    struct sc_worker *w;
    const struct sc_str *files;
    struct sc_arena ar; /* plans live as long as the worker */
    struct sc_map plans;
    struct plan *last; /* of this source and id: nearly every record is like the one before it */
    uint32_t last_source, last_id;
};

struct sc_decoders *sc_decoders_create(struct sc_worker *w, const struct sc_str *files)
{
    struct sc_decoders *dc = sc_calloc(1, sizeof(*dc));
    dc->w = w;
    dc->files = files;
    sc_arena_init(&dc->ar);
    sc_map_init(&dc->plans, &dc->ar);
    return dc;
}

void sc_decoders_destroy(struct sc_decoders *dc)
{
    sc_arena_fini(&dc->ar);
    free(dc);
}

/* What a plan is found by: 12 bytes and the index. */
struct key {
    uint32_t source, id, n_index;
    uint32_t index[SC_DECODE_DEPTH];
};

static struct sc_str key_bytes(const struct key *k)
{
    return (struct sc_str){(const char *)k, (3 + k->n_index) * sizeof(uint32_t)};
}

static void compile(struct sc_decoders *dc, const struct sc_source *src, const struct key *key,
                    const struct sc_schema_source *schema, struct plan *pl)
{
    struct sc_str message = src->message;
    switch ((enum sc_format)src->format) {
    case SC_FORMAT_JSON:
        pl->decoder = sc_json_decoder(&src->projection, &dc->ar);
        break;
    case SC_FORMAT_AVRO:
        pl->decoder = sc_avro_decoder(schema, &src->projection, &dc->ar, &pl->why);
        break;
    case SC_FORMAT_PROTOBUF: {
        const struct sc_proto_files *files = sc_proto_parse(schema, &dc->ar, &pl->why);
        if (src->framed)
            message = SC_STR_NULL; /* the index says which */
        if (files)
            pl->decoder = sc_proto_decoder(files, message, key->index, key->n_index,
                                           &src->projection, &dc->ar, &pl->why);
        break;
    }
    }
    pl->drop = pl->decoder ? SC_DROP_NONE : SC_DROP_SCHEMA_UNUSABLE;
    if (pl->decoder == NULL)
        sc_logf(SC_LOG_ERROR, "resolve", "source %.*s: schema %u cannot be used: %.*s",
                SC_STR_FMT(src->name), key->id, SC_STR_FMT(pl->why));
}

static enum sc_err fetch(struct sc_decoders *dc, const struct sc_source *src,
                         const struct key *key, struct plan *pl)
{
    struct sc_schema_text text = {0};
    uint32_t index = (uint32_t)(src - dc->w->cfg->jo->tx->sources);
    if (src->format == SC_FORMAT_JSON) {
        compile(dc, src, key, NULL, pl);
        return SC_ERR_OK;
    }
    if (!src->framed) {
        struct sc_schema_source schema = {.text = dc->files[index]};
        compile(dc, src, key, &schema, pl);
        return SC_ERR_OK;
    }
    if (dc->w->schemas == NULL)
        return SC_ERR_CONFIG;
    enum sc_err e = dc->w->schemas->ops->get(dc->w->schemas, key->id, &dc->ar, &text);
    if (e == SC_ERR_NOT_FOUND) {
        pl->drop = SC_DROP_SCHEMA_UNKNOWN;
        pl->until_ms = dc->w->clock.mono_ms(dc->w->clock.arg) + NOT_FOUND_MS;
        return SC_ERR_OK;
    }
    if (e != SC_ERR_OK)
        return e;
    if (text.type != src->format) {
        pl->drop = SC_DROP_SCHEMA_UNUSABLE;
        pl->why = SC_STR("the schema is of another format than the source");
        return SC_ERR_OK;
    }
    struct sc_schema_source schema = {text.text, text.refs, text.n_refs};
    compile(dc, src, key, &schema, pl);
    return SC_ERR_OK;
}

static enum sc_drop read_framing(const struct sc_source *src, struct sc_str value, struct key *key,
                                 struct sc_str *body)
{
    *body = value;
    bool bare_json = src->format == SC_FORMAT_JSON && value.len && value.p[0] != 0;
    if (!src->framed || bare_json)
        return SC_DROP_NONE;
    enum sc_drop drop = sc_wire_read(value, &key->id, body);
    if (drop == SC_DROP_NONE && src->format == SC_FORMAT_PROTOBUF)
        drop = sc_wire_index(body, key->index, &key->n_index);
    if (src->format == SC_FORMAT_JSON)
        key->id = 0; /* one plan serves every JSON schema */
    return drop;
}

static struct plan *known(struct sc_decoders *dc, const struct key *key)
{
    if (dc->last && dc->last_source == key->source && dc->last_id == key->id && key->n_index == 0)
        return dc->last;
    struct plan *pl = sc_map_get(&dc->plans, key_bytes(key));
    if (pl && key->n_index == 0) {
        dc->last = pl;
        dc->last_source = key->source;
        dc->last_id = key->id;
    }
    return pl;
}

/* How one record is to be read: the plan of its schema, and the body behind its framing. */
struct decoding {
    const struct sc_decoder *decoder;
    struct sc_str body;
    enum sc_drop drop;
};

static enum sc_err plan_for(struct sc_decoders *dc, const struct sc_source *src,
                            struct sc_str value, struct decoding *out, struct sc_fault *fault)
{
    struct key key;
    key.source = src->hash;
    key.id = key.n_index = 0; /* the index is as long as n_index says */
    out->drop = value.p ? read_framing(src, value, &key, &out->body) : SC_DROP_EMPTY_VALUE;
    out->decoder = NULL;
    if (out->drop != SC_DROP_NONE)
        return SC_ERR_OK;
    struct plan *pl = known(dc, &key);
    bool again = pl && pl->drop == SC_DROP_SCHEMA_UNKNOWN &&
                 dc->w->clock.mono_ms(dc->w->clock.arg) >= pl->until_ms;
    if (pl == NULL && dc->plans.n >= SC_DECODERS_MAX) {
        out->drop = SC_DROP_SCHEMA_UNKNOWN;
        return SC_ERR_OK;
    }
    if (pl == NULL || again) {
        struct plan fresh = {0};
        enum sc_err e = fetch(dc, src, &key, &fresh);
        if (e != SC_ERR_OK)
            return e;
        if (pl == NULL) {
            pl = SC_NEW(&dc->ar, struct plan);
            sc_map_put(&dc->plans, key_bytes(&key), pl);
        }
        *pl = fresh;
    }
    out->decoder = pl->decoder;
    out->drop = pl->drop;
    if (pl->why.len)
        snprintf(fault->text, sizeof(fault->text), "schema %u: %.*s", key.id, SC_STR_FMT(pl->why));
    return SC_ERR_OK;
}

enum sc_err sc_decoders_event(struct sc_decoders *dc, const struct sc_decoders_in *in,
                              struct sc_event *ev, enum sc_drop *drop, struct sc_fault *fault)
{
    const struct sc_source *src = in->source;
    const struct sc_taxonomy *tx = dc->w->cfg->jo->tx;
    struct decoding d;
    fault->drop = SC_DROP_NONE; /* its text is long: only its first byte is cleared */
    fault->path = SC_STR_NULL;
    fault->text[0] = '\0';
    enum sc_err e = plan_for(dc, src, in->value, &d, fault);
    *drop = d.drop;
    if (e != SC_ERR_OK || d.drop != SC_DROP_NONE)
        return e;
    struct sc_value *slots = sc_arena_alloc(in->ar, sizeof(*slots) * (src->projection.n + 1));
    *drop = sc_decode(d.decoder, d.body, in->ar, slots, fault);
    if (*drop == SC_DROP_NONE)
        *drop = sc_intake_begin(tx, src, slots, &in->meta, in->ps, in->ar, ev, fault);
    return SC_ERR_OK;
}
