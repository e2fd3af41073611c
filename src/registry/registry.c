/* The registry's client (registry.h): caches, answers, references.
 *
 * Everything happens under one mutex, requests too: who asks for the same id meanwhile finds it in
 * the cache. References are fetched by subject and version, depth first, each name once, at most
 * REFS_MAX of them, and stored with the schema that needs them. */
#include "registry/registry.h"
#include "registry/disk.h"
#include "registry/http.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/map.h"
#include "base/time.h"
#include "base/vec.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define REFS_MAX 256u
#define REF_DEPTH_MAX 16u
#define KEPT_MAX 10000u /* schemas in memory; more are fetched from disk */
#define NOT_FOUND_MS (30 * SC_SECOND_MS)

/* An id asked for: its schema, or until when it counts as unknown. */
struct kept {
    struct sc_schema_text schema;
    bool known;
    int64_t until_ms;
};

struct sc_registry {
    struct sc_schemas port; /* first: the port is this client */
    pthread_mutex_t lock;
    struct sc_http *http;
    struct sc_disk disk;
    struct sc_arena ar;  /* what is kept */
    struct sc_map kept;  /* id -> struct kept */
    char why[SC_REGISTRY_WHY];
    char said[SC_REGISTRY_WHY]; /* what the log heard last; empty: all well */
    bool quiet;
};

static const char *const type_names[] = {
    [SC_FORMAT_AVRO] = "AVRO", [SC_FORMAT_PROTOBUF] = "PROTOBUF", [SC_FORMAT_JSON] = "JSON"};

static const struct sc_schemas_ops port_ops;

enum sc_err sc_registry_create(const struct sc_registry_options *options, struct sc_registry **out,
                               char why[SC_REGISTRY_WHY])
{
    struct sc_registry *rs = sc_calloc(1, sizeof(*rs));
    rs->port.ops = &port_ops;
    rs->quiet = options->quiet;
    sc_arena_init(&rs->ar);
    sc_map_init(&rs->kept, &rs->ar);
    enum sc_err e = sc_http_create(options, &rs->http, why);
    if (e == SC_ERR_OK && !sc_disk_init(&rs->disk, options->cache_dir, options->url, &rs->ar)) {
        snprintf(why, SC_REGISTRY_WHY, "the schemas' folder %.*s cannot be made: %s",
                 SC_STR_FMT(options->cache_dir), strerror(errno));
        sc_http_destroy(rs->http);
        e = SC_ERR_CONFIG;
    }
    if (e != SC_ERR_OK) {
        sc_arena_fini(&rs->ar);
        free(rs);
        return e;
    }
    pthread_mutex_init(&rs->lock, NULL);
    *out = rs;
    return SC_ERR_OK;
}

void sc_registry_destroy(struct sc_registry *rs)
{
    if (rs == NULL)
        return;
    sc_http_destroy(rs->http);
    pthread_mutex_destroy(&rs->lock);
    sc_arena_fini(&rs->ar);
    free(rs);
}

/* The log hears of a fault once, and of its end. */
static void tell(struct sc_registry *rs, enum sc_err e)
{
    if (rs->quiet)
        return;
    if (e == SC_ERR_OK || e == SC_ERR_NOT_FOUND) {
        if (rs->said[0])
            sc_log(SC_LOG_INFO, "registry", "answers again", "host", sc_http_host(rs->http), NULL);
        rs->said[0] = '\0';
    } else if (strcmp(rs->said, rs->why) != 0) {
        memcpy(rs->said, rs->why, sizeof(rs->said));
        sc_log(sc_err_retriable(e) ? SC_LOG_WARN : SC_LOG_ERROR, "registry", rs->why, "error",
               sc_err_name(e), NULL);
    }
}

static enum sc_err fail(struct sc_registry *rs, enum sc_err e, const char *what)
{
    snprintf(rs->why, sizeof(rs->why), "%.100s: %s", sc_http_host(rs->http), what);
    return e;
}

/* The registry's own error code, 0 when the answer is not one of its errors. */
static json_int_t error_code(struct sc_str answer)
{
    json_t *js = answer.len ? json_loadb(answer.p, answer.len, 0, NULL) : NULL;
    json_int_t code = json_integer_value(json_object_get(js, "error_code"));
    json_decref(js);
    return code;
}

static enum sc_err status_err(struct sc_registry *rs, long status, struct sc_str answer)
{
    if (status == 401)
        return fail(rs, SC_ERR_AUTH, "the registry refuses the login (401): check username and "
                                     "password_file");
    if (status == 403)
        return fail(rs, SC_ERR_AUTH, "the registry forbids this to the user (403)");
    if (status == 404 && error_code(answer) == 0)
        return fail(rs, SC_ERR_CONFIG, "404 without a registry's error: is the path in the URL "
                                       "right?");
    if (status == 404)
        return fail(rs, SC_ERR_NOT_FOUND, "the registry does not know this schema or subject");
    if (status == 409)
        return fail(rs, SC_ERR_CONFLICT, "the schema is not compatible with its subject (409)");
    if (status == 422)
        return fail(rs, SC_ERR_INVALID, "the registry refuses the schema (422)");
    if (status == 408 || status == 429 || status >= 500)
        return fail(rs, SC_ERR_UNAVAILABLE, "the registry is not able to answer now");
    if (status >= 300 && status < 400)
        return fail(rs, SC_ERR_CONFIG, "the URL redirects: give the one it leads to");
    return fail(rs, SC_ERR_INVALID, "the registry refuses the request");
}

/* One request; an answer that is a JSON object, or the error. */
static enum sc_err ask(struct sc_registry *rs, const char *path, const char *body, json_t **out)
{
    long status = 0;
    struct sc_str answer;
    enum sc_err e = sc_http_call(rs->http, path, body, &status, &answer, rs->why);
    if (e != SC_ERR_OK)
        return e;
    if (status != 200)
        return status_err(rs, status, answer);
    json_t *js = answer.len ? json_loadb(answer.p, answer.len, 0, NULL) : NULL;
    if (!json_is_object(js)) {
        json_decref(js);
        return fail(rs, SC_ERR_CORRUPT, "the answer is not a registry's");
    }
    *out = js;
    return SC_ERR_OK;
}

static struct sc_str text_at(const json_t *js, const char *key)
{
    const json_t *v = json_object_get(js, key);
    return json_is_string(v) ? (struct sc_str){json_string_value(v), json_string_length(v)}
                             : SC_STR_NULL;
}

/* An answer being read, with what it refers to. */
struct gather {
    struct sc_registry *rs;
    struct sc_arena *ar;
    SC_VEC(struct sc_schema_ref) refs;
    struct sc_map names;
};

static enum sc_err gather_refs(struct gather *g, const json_t *js, unsigned depth);

/* One reference: what it needs first, then itself. */
static enum sc_err gather_ref(struct gather *g, const json_t *ref, unsigned depth)
{
    struct sc_str name = text_at(ref, "name"), subject = text_at(ref, "subject");
    json_int_t version = json_integer_value(json_object_get(ref, "version"));
    json_t *js = NULL;
    if (name.len == 0 || subject.len == 0)
        return fail(g->rs, SC_ERR_CORRUPT, "a reference without name or subject");
    if (sc_map_put(&g->names, name, g))
        return SC_ERR_OK;
    if (g->refs.n >= REFS_MAX || depth >= REF_DEPTH_MAX)
        return fail(g->rs, SC_ERR_TOO_LARGE, "a schema with too many references");
    struct sc_buf path = {0};
    sc_buf_addz(&path, "/subjects/");
    sc_http_escape(&path, subject);
    sc_buf_addf(&path, "/versions/%lld", (long long)version);
    sc_buf_char(&path, '\0');
    enum sc_err e = ask(g->rs, path.p, NULL, &js);
    sc_buf_fini(&path);
    if (e == SC_ERR_NOT_FOUND) /* not the id: that one the registry knows */
        e = fail(g->rs, SC_ERR_CORRUPT, "a schema refers to one that is not there");
    if (e == SC_ERR_OK)
        e = gather_refs(g, js, depth + 1);
    if (e == SC_ERR_OK)
        SC_VEC_PUSH(g->ar, &g->refs,
                    ((struct sc_schema_ref){sc_str_dup(g->ar, name),
                                            sc_str_dup(g->ar, text_at(js, "schema"))}));
    json_decref(js);
    return e;
}

static enum sc_err gather_refs(struct gather *g, const json_t *js, unsigned depth)
{
    const json_t *refs = json_object_get(js, "references");
    enum sc_err e = SC_ERR_OK;
    for (size_t i = 0; e == SC_ERR_OK && i < json_array_size(refs); i++)
        e = gather_ref(g, json_array_get(refs, i), depth);
    return e;
}

/* {"schema":"…","schemaType":"…","references":[…]}; both latter may be missing. */
static enum sc_err read_schema(struct sc_registry *rs, const json_t *js, struct sc_arena *ar,
                               struct sc_schema_text *out)
{
    struct gather g = {.rs = rs, .ar = ar};
    struct sc_str type = text_at(js, "schemaType");
    *out = (struct sc_schema_text){.type = type.len ? -1 : SC_FORMAT_AVRO};
    for (int32_t i = 0; i < (int32_t)(sizeof(type_names) / sizeof(*type_names)); i++)
        if (sc_str_eqz(type, type_names[i]))
            out->type = i;
    if (out->type < 0 || !json_is_string(json_object_get(js, "schema")))
        return fail(rs, SC_ERR_CORRUPT, "the answer holds no schema of a known type");
    out->text = sc_str_dup(ar, text_at(js, "schema"));
    sc_map_init(&g.names, ar);
    enum sc_err e = gather_refs(&g, js, 0);
    out->refs = g.refs.v;
    out->n_refs = g.refs.n;
    return e;
}

static void copy_schema(const struct sc_schema_text *from, struct sc_arena *ar,
                        struct sc_schema_text *to)
{
    struct sc_schema_ref *refs = SC_NEW_N(ar, struct sc_schema_ref, from->n_refs);
    for (uint32_t i = 0; i < from->n_refs; i++)
        refs[i] = (struct sc_schema_ref){sc_str_dup(ar, from->refs[i].name),
                                         sc_str_dup(ar, from->refs[i].text)};
    *to = (struct sc_schema_text){from->type, sc_str_dup(ar, from->text), refs, from->n_refs};
}

static struct sc_str id_key(const uint32_t *id)
{
    return (struct sc_str){(const char *)id, sizeof(*id)};
}

/* Remember a schema, or (NULL) that the id is unknown. */
static void keep(struct sc_registry *rs, uint32_t id, const struct sc_schema_text *schema)
{
    struct kept *k = sc_map_get(&rs->kept, id_key(&id));
    if (k == NULL && rs->kept.n >= KEPT_MAX)
        return;
    if (k == NULL) {
        k = SC_NEW(&rs->ar, struct kept);
        sc_map_put(&rs->kept, id_key(&id), k);
    }
    k->known = schema != NULL;
    k->until_ms = sc_time_mono_ms() + NOT_FOUND_MS;
    if (schema)
        copy_schema(schema, &rs->ar, &k->schema);
}

static enum sc_err fetch(struct sc_registry *rs, uint32_t id, struct sc_arena *ar,
                         struct sc_schema_text *out)
{
    char path[64];
    json_t *js = NULL;
    snprintf(path, sizeof(path), "/schemas/ids/%u", id);
    enum sc_err e = ask(rs, path, NULL, &js);
    if (e == SC_ERR_OK)
        e = read_schema(rs, js, ar, out);
    json_decref(js);
    if (e == SC_ERR_OK && !sc_disk_write(&rs->disk, id, out))
        sc_log(SC_LOG_WARN, "registry", "a schema could not be kept on disk", "error",
               strerror(errno), NULL);
    tell(rs, e);
    return e;
}

static enum sc_err schema_locked(struct sc_registry *rs, uint32_t id, struct sc_arena *ar,
                                 struct sc_schema_text *out)
{
    const struct kept *k = sc_map_get(&rs->kept, id_key(&id));
    if (k && k->known) {
        copy_schema(&k->schema, ar, out);
        return SC_ERR_OK;
    }
    if (k && sc_time_mono_ms() < k->until_ms)
        return SC_ERR_NOT_FOUND;
    enum sc_err e = SC_ERR_OK;
    if (!sc_disk_read(&rs->disk, id, ar, out))
        e = fetch(rs, id, ar, out);
    if (e == SC_ERR_OK || e == SC_ERR_NOT_FOUND)
        keep(rs, id, e == SC_ERR_OK ? out : NULL);
    return e;
}

enum sc_err sc_registry_schema(struct sc_registry *rs, uint32_t id, struct sc_arena *ar,
                               struct sc_schema_text *out)
{
    SC_ASSERT(ar != NULL && out != NULL);
    pthread_mutex_lock(&rs->lock);
    enum sc_err e = schema_locked(rs, id, ar, out);
    pthread_mutex_unlock(&rs->lock);
    return e;
}

/* The body of a registration; NULL when a text is not UTF-8. */
static char *registration(const struct sc_schema_text *schema)
{
    json_t *js = json_object();
    int bad = json_object_set_new(js, "schemaType", json_string(type_names[schema->type])) |
              json_object_set_new(js, "schema", json_stringn(schema->text.p, schema->text.len));
    char *text = bad ? NULL : json_dumps(js, JSON_COMPACT);
    json_decref(js);
    return text;
}

static enum sc_err subject_call(struct sc_registry *rs, struct sc_str subject, const char *rest,
                                const char *body, json_t **out)
{
    struct sc_buf path = {0};
    sc_buf_addz(&path, "/subjects/");
    sc_http_escape(&path, subject);
    sc_buf_addz(&path, rest);
    sc_buf_char(&path, '\0');
    enum sc_err e = ask(rs, path.p, body, out);
    sc_buf_fini(&path);
    return e;
}

/* {"id": n} of an answer. */
static enum sc_err read_id(struct sc_registry *rs, const json_t *js, uint32_t *id)
{
    json_int_t n = json_integer_value(json_object_get(js, "id"));
    if (n < 1 || n > UINT32_MAX)
        return fail(rs, SC_ERR_CORRUPT, "the answer holds no schema id");
    *id = (uint32_t)n;
    return SC_ERR_OK;
}

enum sc_err sc_registry_register(struct sc_registry *rs, struct sc_str subject,
                                 const struct sc_schema_text *schema, uint32_t *id)
{
    json_t *js = NULL;
    SC_ASSERT(schema->type >= SC_FORMAT_AVRO && schema->type <= SC_FORMAT_JSON);
    SC_ASSERT(schema->n_refs == 0);
    char *body = registration(schema);
    pthread_mutex_lock(&rs->lock);
    enum sc_err e = body ? subject_call(rs, subject, "/versions", body, &js)
                         : fail(rs, SC_ERR_INVALID, "the schema is not UTF-8");
    if (e == SC_ERR_OK)
        e = read_id(rs, js, id);
    tell(rs, e);
    pthread_mutex_unlock(&rs->lock);
    json_decref(js);
    free(body);
    return e;
}

enum sc_err sc_registry_compatible(struct sc_registry *rs, struct sc_str subject,
                                   const struct sc_schema_text *schema, bool *yes)
{
    json_t *js = NULL;
    struct sc_buf path = {0};
    char *body = registration(schema);
    sc_buf_addz(&path, "/compatibility/subjects/");
    sc_http_escape(&path, subject);
    sc_buf_addz(&path, "/versions/latest");
    sc_buf_char(&path, '\0');
    pthread_mutex_lock(&rs->lock);
    enum sc_err e = body ? ask(rs, path.p, body, &js)
                         : fail(rs, SC_ERR_INVALID, "the schema is not UTF-8");
    *yes = e == SC_ERR_OK && json_is_true(json_object_get(js, "is_compatible"));
    tell(rs, e);
    pthread_mutex_unlock(&rs->lock);
    json_decref(js);
    sc_buf_fini(&path);
    free(body);
    return e;
}

enum sc_err sc_registry_latest(struct sc_registry *rs, struct sc_str subject, struct sc_arena *ar,
                               struct sc_schema_text *out, uint32_t *id)
{
    json_t *js = NULL;
    pthread_mutex_lock(&rs->lock);
    enum sc_err e = subject_call(rs, subject, "/versions/latest", NULL, &js);
    if (e == SC_ERR_OK)
        e = read_id(rs, js, id);
    if (e == SC_ERR_OK)
        e = read_schema(rs, js, ar, out);
    tell(rs, e);
    pthread_mutex_unlock(&rs->lock);
    json_decref(js);
    return e;
}

void sc_registry_why(struct sc_registry *rs, char why[SC_REGISTRY_WHY])
{
    pthread_mutex_lock(&rs->lock);
    memcpy(why, rs->why, SC_REGISTRY_WHY);
    pthread_mutex_unlock(&rs->lock);
}

static enum sc_err port_get(struct sc_schemas *port, uint32_t id, struct sc_arena *ar,
                            struct sc_schema_text *out)
{
    return sc_registry_schema((struct sc_registry *)(void *)port, id, ar, out);
}

static enum sc_err port_put(struct sc_schemas *port, struct sc_str subject, int32_t type,
                            struct sc_str text, uint32_t *id)
{
    const struct sc_schema_text schema = {.type = type, .text = text};
    return sc_registry_register((struct sc_registry *)(void *)port, subject, &schema, id);
}

static const struct sc_schemas_ops port_ops = {.get = port_get, .put = port_put};

struct sc_schemas *sc_registry_port(struct sc_registry *rs)
{
    return &rs->port;
}
