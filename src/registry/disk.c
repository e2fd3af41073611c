/* Schemas on disk (disk.h).
 *
 * "stagecoach-schema 1 <crc32c, 8 hex digits>\n", then JSON: {"type":0,"schema":"…","references":
 * [{"name":"…","schema":"…"}]}. Written to a temporary name and renamed, so that a reader, also of
 * another process, sees all of it or nothing. */
#include "registry/disk.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (16u << 20)

static const char magic[] = "stagecoach-schema 1 ";
#define HEAD_BYTES (sizeof(magic) - 1 + 8 + 1)

static bool make_dirs(char *path)
{
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        int rc = mkdir(path, 0700);
        *p = '/';
        if (rc != 0 && errno != EEXIST)
            return false;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

bool sc_disk_init(struct sc_disk *dk, struct sc_str dir, struct sc_str url, struct sc_arena *ar)
{
    dk->url_hash = sc_hash_xxh3(url.p, url.len, 0);
    dk->dir = sc_str_dup(ar, dir);
    return dir.len == 0 || make_dirs(sc_arena_dup(ar, dir.p, dir.len));
}

static void path_of(const struct sc_disk *dk, uint32_t id, struct sc_buf *out)
{
    sc_buf_addf(out, "%.*s/%016" PRIx64 "-%u.schema", SC_STR_FMT(dk->dir), dk->url_hash, id);
    sc_buf_char(out, '\0');
}

static bool read_all(const char *path, struct sc_buf *out)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX;
    char piece[8192];
    ssize_t n = 0;
    while (ok && (n = read(fd, piece, sizeof(piece))) > 0)
        sc_buf_add(out, piece, (size_t)n);
    if (fd >= 0)
        close(fd);
    return ok && n == 0;
}

static bool sound(struct sc_str file)
{
    char head[HEAD_BYTES + 1];
    if (file.len < HEAD_BYTES)
        return false;
    snprintf(head, sizeof(head), "%s%08x\n", magic,
             sc_hash_crc32c(file.p + HEAD_BYTES, file.len - HEAD_BYTES));
    return memcmp(head, file.p, HEAD_BYTES) == 0;
}

static bool text_at(const json_t *js, const char *key, struct sc_arena *ar, struct sc_str *out)
{
    const json_t *v = json_object_get(js, key);
    if (!json_is_string(v))
        return false;
    *out = sc_str_dup(ar, (struct sc_str){json_string_value(v), json_string_length(v)});
    return true;
}

static bool from_json(const json_t *js, struct sc_arena *ar, struct sc_schema_text *out)
{
    const json_t *refs = json_object_get(js, "references");
    json_int_t type = json_integer_value(json_object_get(js, "type"));
    size_t n = json_array_size(refs);
    struct sc_schema_ref *list = SC_NEW_N(ar, struct sc_schema_ref, n);
    *out = (struct sc_schema_text){.type = (int32_t)type, .refs = list, .n_refs = (uint32_t)n};
    if (type < SC_FORMAT_AVRO || type > SC_FORMAT_JSON || !text_at(js, "schema", ar, &out->text))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!text_at(json_array_get(refs, i), "name", ar, &list[i].name) ||
            !text_at(json_array_get(refs, i), "schema", ar, &list[i].text))
            return false;
    return true;
}

bool sc_disk_read(const struct sc_disk *dk, uint32_t id, struct sc_arena *ar,
                  struct sc_schema_text *out)
{
    struct sc_buf path = {0}, file = {0};
    bool ok = false;
    if (dk->dir.len == 0)
        return false;
    path_of(dk, id, &path);
    if (read_all(path.p, &file) && sound(sc_buf_view(&file))) {
        json_t *js = json_loadb(file.p + HEAD_BYTES, file.len - HEAD_BYTES, JSON_ALLOW_NUL, NULL);
        ok = js != NULL && from_json(js, ar, out);
        json_decref(js);
    }
    sc_buf_fini(&path);
    sc_buf_fini(&file);
    return ok;
}

static json_t *text_json(struct sc_str s)
{
    return json_stringn(s.p ? s.p : "", s.len);
}

/* NULL when a text is not UTF-8. */
static char *to_json(const struct sc_schema_text *schema)
{
    json_t *js = json_object(), *refs = json_array();
    int bad = json_object_set_new(js, "type", json_integer(schema->type)) |
              json_object_set_new(js, "schema", text_json(schema->text));
    for (uint32_t i = 0; i < schema->n_refs; i++) {
        json_t *ref = json_object();
        bad |= json_object_set_new(ref, "name", text_json(schema->refs[i].name)) |
               json_object_set_new(ref, "schema", text_json(schema->refs[i].text)) |
               json_array_append_new(refs, ref);
    }
    bad |= json_object_set_new(js, "references", refs);
    char *text = bad ? NULL : json_dumps(js, JSON_COMPACT);
    json_decref(js);
    return text;
}

static bool write_all(int fd, struct sc_str s)
{
    while (s.len) {
        ssize_t n = write(fd, s.p, s.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s = (struct sc_str){s.p + n, s.len - (size_t)n};
    }
    return true;
}

static bool replace(const char *path, struct sc_str bytes)
{
    struct sc_buf temp = {0};
    sc_buf_addf(&temp, "%s.XXXXXX", path);
    sc_buf_char(&temp, '\0');
    int fd = mkstemp(temp.p);
    bool ok = fd >= 0 && write_all(fd, bytes) && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    ok = ok && rename(temp.p, path) == 0;
    if (!ok && fd >= 0)
        unlink(temp.p);
    sc_buf_fini(&temp);
    return ok;
}

bool sc_disk_write(const struct sc_disk *dk, uint32_t id, const struct sc_schema_text *schema)
{
    struct sc_buf path = {0}, file = {0};
    SC_ASSERT(schema->text.p != NULL || schema->text.len == 0);
    if (dk->dir.len == 0)
        return true;
    char *js = to_json(schema);
    if (js == NULL)
        return false;
    path_of(dk, id, &path);
    sc_buf_addf(&file, "%s%08x\n", magic, sc_hash_crc32c(js, strlen(js)));
    sc_buf_addz(&file, js);
    bool ok = replace(path.p, sc_buf_view(&file));
    free(js);
    sc_buf_fini(&path);
    sc_buf_fini(&file);
    return ok;
}
