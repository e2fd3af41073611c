/* See seal.h.
 *
 * Record: u32 magic 'SCS1' | u32 crc of what follows | u8 flags (1: seal) | u32 chunk | u32 images |
 * images | seal fields. Image: 16 bytes node | i64 due | u32 length + 1 (0: no state) | bytes. */
#include "codec/seal.h"

#include "base/assert.h"
#include "base/hash.h"
#include "codec/bytes.h"
#include <inttypes.h>
#include <stdio.h>

#define MAGIC 0x31534353u /* "SCS1" */
#define HEAD 17u
#define FLAG_SEAL 1u
#define PROGRESS_MAX 65536u

void sc_seal_start(struct sc_seal_writer *w, struct sc_buf *buf)
{
    *w = (struct sc_seal_writer){.buf = buf};
}

static size_t image_bytes(const struct sc_image *im)
{
    return sizeof(im->node) + 8 + 4 + im->state.len;
}

bool sc_seal_fits(const struct sc_seal_writer *w, const struct sc_image *im)
{
    return w->n == 0 || w->buf->len + image_bytes(im) <= SC_SEAL_CHUNK_BYTES;
}

static void head(struct sc_seal_writer *w)
{
    static const char zeros[HEAD] = {0};
    w->buf->len = 0;
    sc_put(w->buf, zeros, HEAD);
}

void sc_seal_image(struct sc_seal_writer *w, const struct sc_image *im)
{
    SC_ASSERT(sc_seal_fits(w, im));
    SC_ASSERT(im->state.len < UINT32_MAX);
    if (w->n == 0)
        head(w);
    sc_put(w->buf, im->node.b, sizeof(im->node.b));
    sc_put_i64(w->buf, im->due_ms);
    sc_put_u32(w->buf, im->state.p ? (uint32_t)im->state.len + 1 : 0);
    sc_buf_str(w->buf, im->state);
    w->n++;
    w->total++;
}

static struct sc_str close_record(struct sc_seal_writer *w, uint8_t flags)
{
    uint32_t magic = MAGIC;
    char *p = w->buf->p;
    p[8] = (char)flags;
    memcpy(p + 9, &w->chunks, 4);
    memcpy(p + 13, &w->n, 4);
    uint32_t crc = sc_hash_crc32c(p + 8, w->buf->len - 8);
    memcpy(p, &magic, 4);
    memcpy(p + 4, &crc, 4);
    w->n = 0;
    w->chunks++;
    return sc_buf_view(w->buf);
}

struct sc_str sc_seal_chunk(struct sc_seal_writer *w)
{
    SC_ASSERT(w->n > 0);
    return close_record(w, 0);
}

struct sc_str sc_seal_close(struct sc_seal_writer *w, struct sc_seal *s)
{
    if (w->n == 0)
        head(w);
    s->count = w->total;
    struct sc_buf *b = w->buf;
    sc_put_u64(b, s->incarnation);
    sc_put_u64(b, s->seq);
    sc_put_i64(b, s->next);
    sc_put_u64(b, s->config_hash);
    sc_put_u64(b, s->ranks_hash);
    sc_put_u32(b, s->partitions);
    sc_put_i64(b, s->watermark_ms);
    sc_put_i64(b, s->woke_ms);
    sc_put_u64(b, s->count);
    sc_put_u32(b, s->n_progress);
    for (uint32_t i = 0; i < s->n_progress; i++) {
        const struct sc_progress *pr = &s->progress[i];
        sc_put_u32(b, pr->source);
        sc_put_u32(b, (uint32_t)pr->partition);
        sc_put_i64(b, pr->ms);
        sc_put_i64(b, s->heard_ms[i]);
        sc_put_u8(b, (uint8_t)(pr->idle | pr->empty << 1));
    }
    sc_put_u32(b, s->n_parts);
    for (uint32_t i = 0; i < s->n_parts; i++) {
        sc_put_u32(b, s->parts[i].source);
        sc_put_u32(b, (uint32_t)s->parts[i].partitions);
    }
    return close_record(w, FLAG_SEAL);
}

/* ---- reading */

static int take_image(struct sc_take *t, struct sc_image *im)
{
    sc_take_bytes(t, im->node.b, sizeof(im->node.b));
    im->due_ms = sc_take_i64(t);
    uint32_t len = sc_take_u32(t);
    im->state = len ? sc_take_str(t, len - 1) : SC_STR_NULL;
    return t->bad ? -1 : 1;
}

static void take_progress(struct sc_take *t, struct sc_seal *s, struct sc_arena *ar)
{
    s->n_progress = sc_take_u32(t);
    if (s->n_progress > PROGRESS_MAX)
        t->bad = true;
    if (t->bad)
        return;
    struct sc_progress *progress = SC_NEW_N(ar, struct sc_progress, s->n_progress + 1);
    int64_t *heard = SC_NEW_N(ar, int64_t, s->n_progress + 1);
    for (uint32_t i = 0; i < s->n_progress; i++) {
        progress[i].source = sc_take_u32(t);
        progress[i].partition = (int32_t)sc_take_u32(t);
        progress[i].ms = sc_take_i64(t);
        heard[i] = sc_take_i64(t);
        uint8_t flags = sc_take_u8(t);
        progress[i].idle = flags & 1;
        progress[i].empty = flags >> 1 & 1;
    }
    s->progress = progress;
    s->heard_ms = heard;
    s->n_parts = sc_take_u32(t);
    if (s->n_parts > PROGRESS_MAX)
        t->bad = true;
    if (t->bad)
        return;
    struct sc_source_parts *parts = SC_NEW_N(ar, struct sc_source_parts, s->n_parts + 1);
    for (uint32_t i = 0; i < s->n_parts; i++) {
        parts[i].source = sc_take_u32(t);
        parts[i].partitions = (int32_t)sc_take_u32(t);
    }
    s->parts = parts;
}

static bool take_seal(struct sc_take *t, struct sc_seal *s, struct sc_arena *ar)
{
    s->incarnation = sc_take_u64(t);
    s->seq = sc_take_u64(t);
    s->next = sc_take_i64(t);
    s->config_hash = sc_take_u64(t);
    s->ranks_hash = sc_take_u64(t);
    s->partitions = sc_take_u32(t);
    s->watermark_ms = sc_take_i64(t);
    s->woke_ms = sc_take_i64(t);
    s->count = sc_take_u64(t);
    take_progress(t, s, ar);
    return !t->bad && t->p == t->end;
}

bool sc_seal_open(struct sc_seal_reader *r, struct sc_str in, struct sc_arena *ar)
{
    memset(r, 0, sizeof(*r));
    struct sc_take t = sc_take_from(in);
    uint32_t magic = sc_take_u32(&t), crc = sc_take_u32(&t);
    if (t.bad || magic != MAGIC || crc != sc_hash_crc32c(t.p, (size_t)(t.end - t.p)))
        return false;
    r->is_seal = sc_take_u8(&t) & FLAG_SEAL;
    r->chunk = sc_take_u32(&t);
    r->left = sc_take_u32(&t);
    if (t.bad)
        return false;
    r->in = in;
    r->at = (size_t)(t.p - in.p);
    if (!r->is_seal)
        return true;
    struct sc_image im;
    for (uint32_t i = 0; i < r->left; i++)
        if (take_image(&t, &im) < 0)
            return false;
    return take_seal(&t, &r->seal, ar);
}

int sc_seal_next(struct sc_seal_reader *r, struct sc_image *im)
{
    if (r->left == 0)
        return 0;
    struct sc_take t = {r->in.p + r->at, r->in.p + r->in.len, false};
    int got = take_image(&t, im);
    r->at = (size_t)(t.p - r->in.p);
    r->left--;
    return got;
}

/* ---- offset metadata: "1 <incarnation> <seq> <seal> <writer> <config> <tries> <crc>", in hex */

size_t sc_meta_format(const struct sc_meta *m, char out[SC_META_MAX])
{
    int n = snprintf(out, SC_META_MAX, "1 %" PRIx64 " %" PRIx64 " %" PRIx64 " %s %" PRIx64 " %x",
                     m->incarnation, m->seq, (uint64_t)m->seal, m->writer, m->config_hash,
                     m->tries);
    SC_ASSERT(n > 0 && n < SC_META_MAX - 10);
    int more = snprintf(out + n, SC_META_MAX - (size_t)n, " %08x",
                        sc_hash_crc32c(out, (size_t)n));
    SC_ASSERT(more == 9);
    return (size_t)(n + more);
}

bool sc_meta_parse(struct sc_str s, struct sc_meta *m)
{
    char text[SC_META_MAX];
    unsigned crc;
    uint64_t seal;
    int used = 0;
    memset(m, 0, sizeof(*m));
    if (s.len < 10 || s.len >= sizeof(text) || memchr(s.p, '\0', s.len))
        return false;
    memcpy(text, s.p, s.len);
    text[s.len] = '\0';
    int got = sscanf(text, "1 %" SCNx64 " %" SCNx64 " %" SCNx64 " %32[A-Za-z0-9._-] %" SCNx64
                     " %x %8x%n", &m->incarnation, &m->seq, &seal, m->writer, &m->config_hash,
                     &m->tries, &crc, &used);
    m->seal = (int64_t)seal;
    return got == 7 && (size_t)used == s.len && crc == sc_hash_crc32c(text, s.len - 9);
}
