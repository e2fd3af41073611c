/* test_seals BROKERS TOPIC PARTITIONS: is a state log whole, for a reader of committed records?
 *
 * Each partition's seals must count 1, 2, 3 … in one incarnation, the journal offset and the
 * watermark never go back, and every record be readable to its end. Prints how many there are;
 * exit status 1 with the reason if one is wrong. */
#include "codec/seal.h"
#include "kafka/kafka.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PARTITIONS_MAX 64
#define POLL_MS 500
#define SILENCES_MAX 60 /* polls in a row without an answer */

struct last {
    uint64_t incarnation, seq, images;
    int64_t next, watermark_ms;
};

static int wrong(const struct sc_msg *m, const char *what, uint64_t seen, uint64_t before)
{
    printf("partition %d, offset %" PRId64 ": %s %" PRIu64 " after %" PRIu64 "\n", m->partition,
           m->offset, what, seen, before);
    return 1;
}

static int check_seal(struct last *last, const struct sc_msg *m, const struct sc_seal *s)
{
    if (last->seq && s->incarnation != last->incarnation)
        return wrong(m, "incarnation", s->incarnation, last->incarnation);
    if (s->seq != last->seq + 1)
        return wrong(m, "seal", s->seq, last->seq);
    if (s->next < last->next)
        return wrong(m, "next offset", (uint64_t)s->next, (uint64_t)last->next);
    if (last->seq && s->watermark_ms < last->watermark_ms)
        return wrong(m, "watermark", (uint64_t)s->watermark_ms, (uint64_t)last->watermark_ms);
    if (s->count != last->images)
        return wrong(m, "count of images", s->count, last->images);
    *last = (struct last){s->incarnation, s->seq, 0, s->next, s->watermark_ms};
    return 0;
}

static int check_record(struct last *last, const struct sc_msg *m, struct sc_arena *ar)
{
    struct sc_seal_reader rd;
    struct sc_image im;
    int more = -1;
    if (sc_seal_open(&rd, m->value, ar))
        while ((more = sc_seal_next(&rd, &im)) == 1)
            last->images++;
    if (more < 0)
        return wrong(m, "damaged record, images", last->images, 0);
    return rd.is_seal ? check_seal(last, m, &rd.seal) : 0;
}

static int check(struct sc_kafka_tap *tap, struct last *lasts, int32_t partitions)
{
    struct sc_arena ar;
    struct sc_msg m;
    struct sc_header hs[1];
    uint32_t n;
    int rc = 0, silences = 0;
    sc_arena_init(&ar);
    while (rc == 0) {
        enum sc_err e = sc_kafka_tap_next(tap, POLL_MS, &m, hs, &n, 1);
        if (e == SC_ERR_NOT_FOUND)
            break;
        if (e == SC_ERR_OK) {
            silences = 0;
            rc = m.partition < partitions ? check_record(&lasts[m.partition], &m, &ar) : 1;
            sc_arena_reset(&ar, 1u << 20);
        } else if (++silences > SILENCES_MAX) {
            printf("the broker does not answer\n");
            rc = 1;
        }
    }
    sc_arena_fini(&ar);
    return rc;
}

int main(int argc, char **argv)
{
    static struct last lasts[PARTITIONS_MAX];
    int32_t partitions = argc == 4 ? atoi(argv[3]) : 0;
    if (partitions < 1 || partitions > PARTITIONS_MAX) {
        fprintf(stderr, "usage: test_seals BROKERS TOPIC PARTITIONS\n");
        return 64;
    }
    struct sc_str broker = sc_str_from(argv[1]);
    struct sc_kafka_settings settings = {.brokers = {.v = &broker, .n = 1}};
    struct sc_kafka_config kafka = {.settings = &settings};
    struct sc_buf why = {0};
    const struct sc_kafka_range all = {.topic = argv[2], .partition = -1, .from = SC_FROM_START};
    struct sc_kafka_tap *tap = sc_kafka_tap_create(&kafka, &all, &why);
    int rc = 1;
    uint64_t seals = 0;
    if (tap)
        rc = check(tap, lasts, partitions);
    else
        printf("%.*s\n", (int)why.len, why.p);
    for (int32_t p = 0; p < partitions; p++)
        seals += lasts[p].seq;
    if (rc == 0)
        printf("%" PRIu64 " seals without a gap\n", seals);
    sc_kafka_tap_destroy(tap);
    sc_buf_fini(&why);
    return rc;
}
