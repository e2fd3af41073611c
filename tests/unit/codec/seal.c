/* State frames and offset metadata: round trips, chunks, damage. */
#include "codec/seal.h"
#include "core/journey/state.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const struct sc_progress progress[] = {{7, 0, 1234567890123, true, false},
                                              {7, 1, SC_NEVER, false, true}};
static const int64_t heard[] = {111, 222};
static const struct sc_source_parts parts[] = {{7, 2}};

static struct sc_seal seal_of(void)
{
    return (struct sc_seal){.incarnation = UINT64_MAX, .seq = 42, .next = 1LL << 40,
                            .config_hash = 0xabcdef, .partitions = 24, .ranks_hash = 99,
                            .watermark_ms = -5, .woke_ms = 8,
                            .progress = progress, .heard_ms = heard,
                            .n_progress = 2, .parts = parts, .n_parts = 1};
}

static struct sc_image image_of(uint32_t i, char *bytes, size_t len)
{
    struct sc_image im = {.node = {{0xf1}}, .state = {bytes, len}, .due_ms = (int64_t)i - 3};
    memcpy(im.node.b + 1, &i, sizeof(i));
    memset(bytes, 'a' + (int)(i % 26), len);
    if (i % 5 == 4)
        im.state = SC_STR_NULL;
    return im;
}

/* Write `n` images of `len` bytes as one frame, read it back record by record. */
static uint32_t round_trip(uint32_t n, size_t len)
{
    struct sc_seal_writer w;
    struct sc_buf buf = {0};
    struct sc_arena ar;
    struct sc_buf log = {0};
    SC_VEC(size_t) ends = {0};
    sc_arena_init(&ar);
    char *bytes = sc_arena_alloc(&ar, len + 1);
    sc_seal_start(&w, &buf);
    for (uint32_t i = 0; i < n; i++) {
        struct sc_image im = image_of(i, bytes, len);
        if (!sc_seal_fits(&w, &im)) {
            sc_buf_str(&log, sc_seal_chunk(&w));
            SC_VEC_PUSH(&ar, &ends, log.len);
        }
        sc_seal_image(&w, &im);
    }
    struct sc_seal seal = seal_of();
    sc_buf_str(&log, sc_seal_close(&w, &seal));
    SC_VEC_PUSH(&ar, &ends, log.len);
    uint32_t got = 0;
    for (uint32_t r = 0; r < ends.n; r++) {
        size_t from = r ? ends.v[r - 1] : 0;
        struct sc_seal_reader rd;
        struct sc_image im, want;
        size_t most = len > SC_SEAL_CHUNK_BYTES ? len : SC_SEAL_CHUNK_BYTES;
        cr_assert(ends.v[r] - from <= most + 1024);
        cr_assert(sc_seal_open(&rd, (struct sc_str){log.p + from, ends.v[r] - from}, &ar));
        cr_assert_eq(rd.chunk, r);
        cr_assert_eq(rd.is_seal, r + 1 == ends.n);
        while (sc_seal_next(&rd, &im) == 1) {
            want = image_of(got++, bytes, len);
            cr_assert(sc_node_eq(&im.node, &want.node) && im.due_ms == want.due_ms);
            cr_assert(sc_str_eq(im.state, want.state));
            cr_assert_eq(im.state.p == NULL, want.state.p == NULL);
        }
        if (!rd.is_seal)
            continue;
        cr_assert(rd.seal.incarnation == seal.incarnation && rd.seal.seq == 42);
        cr_assert(rd.seal.next == seal.next && rd.seal.count == n);
        cr_assert(rd.seal.partitions == 24 && rd.seal.ranks_hash == 99);
        cr_assert(rd.seal.config_hash == 0xabcdef && rd.seal.watermark_ms == -5);
        cr_assert_eq(rd.seal.woke_ms, 8);
        cr_assert(rd.seal.n_progress == 2 && rd.seal.n_parts == 1);
        cr_assert(rd.seal.heard_ms[1] == 222 && rd.seal.parts[0].partitions == 2);
        for (int i = 0; i < 2; i++) {
            cr_assert_eq(rd.seal.progress[i].ms, progress[i].ms);
            cr_assert_eq(rd.seal.progress[i].idle, progress[i].idle);
            cr_assert_eq(rd.seal.progress[i].empty, progress[i].empty);
        }
    }
    cr_assert_eq(got, n);
    sc_buf_fini(&buf);
    sc_buf_fini(&log);
    sc_arena_fini(&ar);
    return ends.n;
}

Test(seal, frames_come_back)
{
    cr_assert_eq(round_trip(0, 0), 1);
    cr_assert_eq(round_trip(100, 300), 1);
    cr_assert_gt(round_trip(9000, 300), 2, "too large for one record: chunks, the seal last");
    cr_assert_eq(round_trip(3, 1u << 20), 3, "an image alone always fits");
}

Test(seal, any_changed_byte_is_found)
{
    struct sc_seal_writer w;
    struct sc_buf buf = {0};
    struct sc_arena ar;
    struct sc_seal seal = seal_of();
    struct sc_seal_reader rd;
    char bytes[20], copy[512];
    sc_arena_init(&ar);
    sc_seal_start(&w, &buf);
    struct sc_image im = image_of(1, bytes, sizeof(bytes));
    sc_seal_image(&w, &im);
    struct sc_str record = sc_seal_close(&w, &seal);
    cr_assert(record.len < sizeof(copy));
    for (size_t i = 0; i < record.len; i++) {
        memcpy(copy, record.p, record.len);
        copy[i] ^= 0x10;
        cr_assert_not(sc_seal_open(&rd, (struct sc_str){copy, record.len}, &ar), "byte %zu", i);
        cr_assert_not(sc_seal_open(&rd, (struct sc_str){record.p, i}, &ar), "cut at %zu", i);
    }
    sc_buf_fini(&buf);
    sc_arena_fini(&ar);
}

Test(meta, comes_back_and_is_small_ascii)
{
    struct sc_meta m = {.incarnation = UINT64_MAX, .seq = UINT64_MAX, .seal = -1,
                        .writer = "stagecoach-j-host_name.7-01234567", .config_hash = UINT64_MAX,
                        .tries = 3};
    struct sc_meta got;
    char text[SC_META_MAX], bad[SC_META_MAX];
    m.writer[32] = '\0';
    size_t len = sc_meta_format(&m, text);
    cr_assert_lt(len, 128);
    for (size_t i = 0; i < len; i++)
        cr_assert(text[i] >= ' ' && text[i] < 127);
    cr_assert(sc_meta_parse((struct sc_str){text, len}, &got));
    cr_assert(got.incarnation == m.incarnation && got.seq == m.seq && got.seal == -1);
    cr_assert(got.config_hash == m.config_hash && got.tries == 3);
    cr_assert_str_eq(got.writer, m.writer);
    for (size_t i = 0; i < len; i++) {
        memcpy(bad, text, len);
        bad[i] = bad[i] == 'x' ? 'y' : 'x';
        cr_assert_not(sc_meta_parse((struct sc_str){bad, len}, &got), "byte %zu", i);
        cr_assert_not(sc_meta_parse((struct sc_str){text, i}, &got), "cut at %zu", i);
    }
    cr_assert_not(sc_meta_parse(SC_STR("committed by kafka-consumer-groups --reset-offsets"), &got));
}
