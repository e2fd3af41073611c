/* Journal frames: what goes in comes out; what is damaged, newer or foreign is told. */
#include "../../lib/states.h"
#include "base/hash.h"
#include "codec/journal.h"

#include <criterion/criterion.h>

static struct shop sh;
static struct sc_frame_item item;
static struct sc_frame_writer w;

static void setup(void)
{
    shop_init(&sh, states_journey);
    sc_frame_start(&w, 42);
}

static void teardown(void)
{
    sc_frame_fini(&w);
    shop_fini(&sh);
}

TestSuite(journal, .init = setup, .fini = teardown);

static struct sc_event *order(void)
{
    struct chance c = {11};
    struct sc_event *ev =
        shop_event(&sh, sc_taxonomy_event(&sh.tx, SC_STR("order")), SHOP_START + 123, &c);
    ev->ids[0].node = shop_node(1, 1);
    ev->ids[1].node = shop_node(3, 9);
    ev->n_ids = 2;
    ev->claimed_ms = ev->occurred_ms + 999;
    ev->deprecated = ev->clamped = true;
    ev->ids_demoted = 3;
    ev->phone_zone = SC_STR("Europe/Oslo");
    ev->traceparent = SC_STR("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    ev->duplicate_of = SC_STR("e0");
    return ev;
}

static struct sc_record record(uint8_t kind, const struct sc_event *ev)
{
    return (struct sc_record){.kind = kind, .to = shop_node(1, 1), .home = shop_node(1, 1),
                              .ev = ev};
}

/* The one record of a frame, read back into `item`. */
static const struct sc_record *through(const struct sc_record *rec)
{
    struct sc_frame_reader r;
    sc_frame_record(&w, &sh.jo, rec);
    cr_assert(sc_frame_open(&r, &sh.jo, sc_frame_finish(&w), &sh.ar));
    cr_assert_eq(r.projection, 42);
    cr_assert_eq(sc_frame_next(&r, &item), 1);
    struct sc_frame_item none;
    cr_assert_eq(sc_frame_next(&r, &none), 0);
    cr_assert_eq(item.kind, item.rec.kind);
    return &item.rec;
}

static void same_node(struct sc_node_id a, struct sc_node_id b)
{
    cr_assert(sc_node_eq(&a, &b));
}

static void same_event(const struct sc_event *a, const struct sc_event *b)
{
    cr_assert_eq(a->type, b->type);
    cr_assert_eq(a->source, b->source);
    cr_assert(a->deprecated == b->deprecated && a->clamped == b->clamped);
    cr_assert(a->id_hash == b->id_hash && a->content_hash == b->content_hash);
    cr_assert(a->occurred_ms == b->occurred_ms && a->claimed_ms == b->claimed_ms);
    cr_assert_eq(a->ids_demoted, b->ids_demoted);
    cr_assert(a->origin.partition == b->origin.partition && a->origin.offset == b->origin.offset);
    cr_assert(sc_str_eq(a->origin.topic, b->origin.topic));
    cr_assert(sc_str_eq(a->source_name, b->source_name) && sc_str_eq(a->id, b->id));
    cr_assert(sc_str_eq(a->phone_zone, b->phone_zone));
    cr_assert(sc_str_eq(a->traceparent, b->traceparent));
    cr_assert(sc_str_eq(a->duplicate_of, b->duplicate_of));
    cr_assert_eq(a->n_ids, b->n_ids);
    for (uint32_t i = 0; i < a->n_ids; i++)
        same_node(a->ids[i].node, b->ids[i].node);
}

Test(journal, an_event_travels_whole)
{
    struct sc_event *ev = order();
    struct sc_record rec = record(SC_REC_EVENT, ev);
    rec.hops = 3;
    rec.has_via = true;
    rec.via = shop_node(2, 2);
    rec.via_gen = 70000;
    rec.home = shop_node(1, 5);
    rec.n_links = 2;
    rec.links[0] = (struct sc_link){shop_node(1, 1), shop_node(3, 9), shop_node(1, 0),
                                    shop_node(3, 9)};
    rec.links[1] = (struct sc_link){shop_node(1, 1), shop_node(3, 8), shop_node(1, 1),
                                    shop_node(2, 8)};
    const struct sc_record *got = through(&rec);
    same_event(got->ev, ev);
    cr_assert_eq(got->ev->n_props, ev->n_props);
    for (uint32_t i = 0; i < ev->n_props; i++)
        cr_assert(sc_value_eq(got->ev->props[i], ev->props[i]), "property %u", i);
    cr_assert(got->hops == 3 && got->has_via && got->via_gen == 70000 && got->n_links == 2);
    same_node(got->via, rec.via);
    same_node(got->home, rec.home);
    for (int i = 0; i < 2; i++) {
        same_node(got->links[i].strong, rec.links[i].strong);
        same_node(got->links[i].weak, rec.links[i].weak);
        same_node(got->links[i].a, rec.links[i].a);
        same_node(got->links[i].b, rec.links[i].b);
    }
    cr_assert_eq(got->ev->ids[0].ns, 0);
    cr_assert_eq(got->ev->ids[1].ns, 2);
}

/* Functions over texts go by the length that a character's first byte says. */
Test(journal, texts_are_utf8)
{
    static const struct { const char *text; bool good; } rows[] = {
        {"caf\xc3\xa9", true},         {"", true},          {"cut short \xf0\x9f\x98", false},
        {"\xff", false},               {"\xc0\x80", false}, {"a longer text than others \xe2\x82\xac", true},
        {"surrogate \xed\xa0\x80", false},
    };
    struct sc_event *ev = order();
    ev->type = (uint16_t)sc_taxonomy_event(&sh.tx, SC_STR("viewed"));
    ev->n_props = 2;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct sc_buf out = {.ar = &sh.ar};
        ev->props = (struct sc_value[]){sc_string(sc_str_from(rows[i].text)), sc_absent()};
        struct sc_record rec = record(SC_REC_EVENT, ev);
        sc_record_encode(&sh.tx, &rec, &out);
        bool read = sc_record_decode(&sh.tx, sc_buf_view(&out), &sh.ar, &item);
        cr_expect_eq(read, rows[i].good, "row %zu", i);
        if (read)
            cr_expect(sc_value_eq(item.rec.ev->props[0], ev->props[0]));
    }
    struct sc_str *shown[] = {&ev->id, &ev->source_name, &ev->phone_zone};
    ev->props = (struct sc_value[]){sc_absent(), sc_absent()};
    for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
        struct sc_str was = *shown[i];
        struct sc_buf out = {.ar = &sh.ar};
        *shown[i] = SC_STR("e\xe2\x82");
        struct sc_record rec = record(SC_REC_EVENT, ev);
        sc_record_encode(&sh.tx, &rec, &out);
        cr_expect_not(sc_record_decode(&sh.tx, sc_buf_view(&out), &sh.ar, &item), "field %zu", i);
        *shown[i] = was;
    }
}

/* Events of one place in a row say it once; each is read with all of it, whatever stood before. */
Test(journal, where_events_came_from_stands_once)
{
    static const struct { const char *source, *topic; int32_t partition; uint8_t first; } in[] = {
        {"s", "t", 0, 1}, {"s", "t", 0, 1}, {"s", "t", 0, 2}, {"s", "t", 1, 1}, {"s", "u", 1, 1},
        {"v", "u", 1, 1}, {"v", "u", 1, 1}, {"", "", -1, 1}, {"", "", -1, 1}, {"v", "u", 1, 1},
    };
    enum { N = sizeof(in) / sizeof(in[0]) };
    struct sc_event *evs[N];
    size_t bytes[N];
    for (uint32_t i = 0; i < N; i++) {
        evs[i] = order();
        evs[i]->source = SC_SOURCE_NONE;
        evs[i]->source_name = sc_str_from(in[i].source);
        evs[i]->origin = (struct sc_origin){sc_str_from(in[i].topic), in[i].partition, i};
        struct sc_record rec = record(SC_REC_EVENT, evs[i]);
        rec.to = rec.home = shop_node(1, in[i].first);
        size_t before = w.buf.len;
        sc_frame_record(&w, &sh.jo, &rec);
        bytes[i] = w.buf.len - before;
    }
    cr_expect_eq(bytes[1], bytes[0] - 6, "source, name, topic and partition"); /* 1, 2, 2, 1 */
    cr_expect_eq(bytes[2], bytes[1] + sizeof(struct sc_node_id), "to is not the first identifier");
    cr_expect_eq(bytes[6], bytes[1]);
    cr_expect_eq(bytes[8], bytes[1]);

    struct sc_frame_reader r;
    cr_assert(sc_frame_open(&r, &sh.jo, sc_frame_finish(&w), &sh.ar));
    for (uint32_t i = 0; i < N; i++) {
        cr_assert_eq(sc_frame_next(&r, &item), 1, "record %u", i);
        same_event(&item.event, evs[i]);
        same_node(item.rec.to, shop_node(1, in[i].first));
        same_node(item.rec.home, item.rec.to);
    }
    cr_assert_eq(sc_frame_next(&r, &item), 0);

    /* The next frame is another message, and may be read without this one. */
    sc_frame_start(&w, 42);
    struct sc_record rec = record(SC_REC_EVENT, evs[9]);
    same_event(through(&rec)->ev, evs[9]);
}

/* The frame as an earlier release says it is. */
static bool opens_as(struct sc_frame_reader *r, char version)
{
    struct sc_str frame = sc_frame_finish(&w);
    w.buf.p[8] = version;
    uint32_t crc = sc_hash_crc32c(frame.p + 8, frame.len - 8);
    memcpy(w.buf.p + 4, &crc, sizeof(crc));
    return sc_frame_open(r, &sh.jo, frame, &sh.ar);
}

/* Behind an update there are still frames of the releases before. */
Test(journal, frames_of_versions_2_and_3_are_read)
{
    struct sc_record rec = record(SC_REC_EVENT, order());
    rec.to = rec.home = shop_node(1, 2); /* no part that version 2 has not */
    sc_frame_record(&w, &sh.jo, &rec);
    for (char version = 1; version <= 5; version++) {
        struct sc_frame_reader r;
        cr_expect_eq(opens_as(&r, version), version >= 2 && version <= 4);
    }
}

/* There a question was a LEAVE that named who asks, and the engine's kinds were one less. */
Test(journal, kinds_of_version_3_are_read)
{
    struct sc_record rec = record(SC_REC_LEAVE, NULL);
    rec.home = (struct sc_node_id){{0}};
    rec.to = rec.node = shop_node(2, 2);
    rec.other = shop_node(1, 3);
    sc_frame_record(&w, &sh.jo, &rec);
    rec.to = shop_node(1, 3);
    rec.other = (struct sc_node_id){{0}};
    sc_frame_record(&w, &sh.jo, &rec);
    size_t heartbeat = w.buf.len;
    sc_frame_heartbeat(&w, &(struct sc_heartbeat){0});
    size_t trailer = w.buf.len;
    sc_frame_trailer(&w, &(struct sc_trailer){.boot = 1, .k = 12});
    w.buf.p[heartbeat + sizeof(uint32_t)] = 7;
    w.buf.p[trailer + sizeof(uint32_t)] = 8;
    struct sc_frame_reader r;
    cr_assert(opens_as(&r, 3));
    static const enum sc_record_kind kinds[] = {SC_REC_ASK, SC_REC_LEAVE, SC_REC_HEARTBEAT,
                                                SC_REC_TRAILER};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        cr_assert_eq(sc_frame_next(&r, &item), 1);
        cr_expect_eq(item.kind, kinds[i]);
    }
    cr_assert_eq(item.trailer.k, 12);
}

Test(journal, times_that_clients_claim_have_no_bound)
{
    struct sc_event *ev = order();
    ev->claimed_ms = INT64_MAX;
    struct sc_record rec = record(SC_REC_EVENT, ev);
    const struct sc_record *got = through(&rec);
    cr_assert_eq(got->ev->claimed_ms, INT64_MAX);
}

Test(journal, a_state_travels_with_its_evidence)
{
    struct chance c = {3};
    struct sc_event **evs = shop_events(&sh, 20, SC_DAY_MS, &c);
    struct sc_state *st = shop_play(&sh, shop_node(2, 2), evs, 20);
    struct sc_record rec = record(SC_REC_STATE, order());
    rec.home = (struct sc_node_id){{0}};
    rec.node = st->node;
    rec.gen = 70001;
    rec.state = st;
    rec.link = (struct sc_link){shop_node(1, 1), shop_node(2, 2), shop_node(1, 1), shop_node(2, 2)};
    const struct sc_record *got = through(&rec);
    same_node(got->state->node, st->node);
    same_node(got->node, st->node);
    same_node(got->link.weak, rec.link.weak);
    cr_assert_eq(got->gen, 70001);
    same_event(got->ev, rec.ev);
    cr_assert_eq(got->ev->n_props, 0, "evidence needs no properties");
    memset(w.buf.p, 0xa5, w.buf.len); /* absorbed, it outlives its frame */
    cr_assert(sc_str_eq(shop_bytes(&sh, got->state), shop_bytes(&sh, st)));
}

Test(journal, other_kinds)
{
    struct sc_record rec = record(SC_REC_RETURN, order());
    rec.node = shop_node(2, 2);
    rec.other = shop_node(1, 3);
    rec.violation = SC_VIOLATION_LIMIT;
    rec.state = sc_state_new(&sh.jo, rec.node, &sh.ar);
    const struct sc_record *got = through(&rec);
    same_node(got->other, rec.other);
    cr_assert_eq(got->violation, SC_VIOLATION_LIMIT);
    sc_frame_start(&w, 42);
    rec = record(SC_REC_ERASE, NULL);
    rec.erase_ms = SHOP_START;
    cr_assert_eq(through(&rec)->erase_ms, SHOP_START);
    sc_frame_start(&w, 42);
    rec = record(SC_REC_SPLIT, NULL);
    rec.node = shop_node(2, 2);
    rec.ambiguous = true;
    cr_assert(through(&rec)->ambiguous && item.rec.ev == NULL);
    cr_assert_eq(item.rec.by.len, 0);
    sc_frame_start(&w, 42);
    rec.kind = SC_REC_ASK;
    rec.other = shop_node(1, 3);
    same_node(through(&rec)->other, rec.other);
    cr_assert_eq(item.kind, SC_REC_ASK);
    sc_frame_start(&w, 42);
    rec.kind = SC_REC_SPLIT;
    rec.ambiguous = false;
    rec.let_go = true;
    rec.decided = 0x8002;
    cr_assert(through(&rec)->let_go && item.rec.decided == 0x8002 && !item.rec.ambiguous);
}

Test(journal, a_command_says_who_and_why)
{
    struct sc_record rec = record(SC_REC_ERASE, NULL);
    rec.erase_ms = SHOP_START;
    rec.by = SC_STR("ada");
    const struct sc_record *got = through(&rec);
    cr_assert(sc_str_eqz(got->by, "ada") && got->why.len == 0);
    cr_assert_eq(got->erase_ms, SHOP_START);
    sc_frame_start(&w, 42);
    rec.why = SC_STR("ticket 17: asked to be forgotten");
    cr_assert(sc_str_eq(through(&rec)->why, rec.why) && sc_str_eqz(item.rec.by, "ada"));
}

Test(journal, heartbeats_and_trailers)
{
    struct sc_progress progress[] = {{.source = 7, .partition = 2, .ms = SHOP_START, .idle = true},
                                     {.source = 7, .partition = 3, .ms = SC_NEVER, .empty = true}};
    struct sc_source_parts parts = {7, 4};
    struct sc_heartbeat hb = {progress, 2, &parts, 1};
    struct sc_trailer tr = {UINT64_MAX, 12, 99};
    sc_frame_heartbeat(&w, &hb);
    sc_frame_trailer(&w, &tr);
    struct sc_frame_reader r;
    cr_assert(sc_frame_open(&r, &sh.jo, sc_frame_finish(&w), &sh.ar));
    cr_assert_eq(sc_frame_next(&r, &item), 1);
    cr_assert(item.kind == SC_REC_HEARTBEAT && item.heartbeat.n == 2);
    for (int i = 0; i < 2; i++) {
        const struct sc_progress *got = &item.heartbeat.progress[i];
        cr_assert(got->source == 7 && got->partition == 2 + i && got->ms == progress[i].ms);
        cr_assert(got->idle == progress[i].idle && got->empty == progress[i].empty);
    }
    cr_assert(item.heartbeat.n_parts == 1 && item.heartbeat.parts[0].partitions == 4);
    cr_assert_eq(sc_frame_next(&r, &item), 1);
    cr_assert(item.trailer.boot == UINT64_MAX && item.trailer.k == 12);
    cr_assert_eq(item.trailer.records, 99);
}

Test(journal, absent_is_not_unknown)
{
    struct sc_event *ev = order();
    struct sc_value props[4] = {ev->props[0], sc_absent(), sc_error(SC_VE_UNKNOWN), ev->props[3]};
    ev->props = props;
    struct sc_record rec = record(SC_REC_EVENT, ev);
    const struct sc_record *got = through(&rec);
    cr_assert_eq(got->ev->props[1].type, SC_T_ABSENT, "looked for and not found");
    cr_assert_eq(got->ev->props[2].type, SC_T_ERROR, "outside the projection");
    cr_assert_eq(got->ev->props[2].i, SC_VE_UNKNOWN);
}

Test(journal, an_event_of_a_newer_taxonomy)
{
    struct sc_event *ev = order();
    struct sc_record plain = record(SC_REC_EVENT, ev), linked = plain;
    linked.n_links = 1;
    linked.links[0] = (struct sc_link){shop_node(1, 1), shop_node(3, 9), shop_node(1, 1),
                                       shop_node(3, 9)};
    sc_frame_record(&w, &sh.jo, &plain);
    sc_frame_record(&w, &sh.jo, &linked);
    struct sc_str frame = sc_frame_finish(&w);
    sh.tx.events[ev->type].hash ^= 1; /* now it goes by another name */
    struct sc_frame_reader r;
    cr_assert(sc_frame_open(&r, &sh.jo, frame, &sh.ar));
    cr_assert_eq(sc_frame_next(&r, &item), 1);
    cr_assert(item.kind == SC_REC_LINK && item.rec.n_links == 1, "its links still join");
    cr_assert_eq(item.event.type, SC_EVENT_UNKNOWN);
    cr_assert_eq(r.unknown, 2);
    cr_assert_eq(sc_frame_next(&r, &item), 0);
}

Test(journal, properties_go_by_name)
{
    struct sc_event *ev = order();
    struct sc_record rec = record(SC_REC_EVENT, ev);
    sc_frame_record(&w, &sh.jo, &rec);
    struct sc_str frame = sc_frame_finish(&w);
    struct sc_property *props = sh.tx.events[ev->type].props, swapped = props[0];
    props[0] = props[1];
    props[1] = swapped;
    struct sc_frame_reader r;
    cr_assert(sc_frame_open(&r, &sh.jo, frame, &sh.ar));
    cr_assert_eq(sc_frame_next(&r, &item), 1);
    cr_assert(sc_value_eq(item.event.props[0], ev->props[1]));
    cr_assert(sc_value_eq(item.event.props[1], ev->props[0]));
}

Test(journal, any_damage_is_seen)
{
    struct sc_record rec = record(SC_REC_EVENT, order());
    sc_frame_record(&w, &sh.jo, &rec);
    struct sc_str frame = sc_frame_finish(&w);
    struct sc_frame_reader r;
    for (size_t i = 0; i < frame.len; i++) {
        char *hurt = sc_arena_dup(&sh.ar, frame.p, frame.len);
        hurt[i] ^= 0x10;
        cr_assert_not(sc_frame_open(&r, &sh.jo, (struct sc_str){hurt, frame.len}, &sh.ar));
        cr_assert_not(sc_frame_open(&r, &sh.jo, (struct sc_str){frame.p, i}, &sh.ar));
    }
}

Test(journal, a_frame_is_full_by_records_or_bytes)
{
    struct sc_record rec = record(SC_REC_EVENT, order());
    cr_assert_not(sc_frame_full(&w, 100000), "one record always fits");
    for (int i = 0; i < SC_FRAME_RECORDS; i++) {
        cr_assert_not(sc_frame_full(&w, 0));
        sc_frame_record(&w, &sh.jo, &rec);
    }
    cr_assert(sc_frame_full(&w, 0));
    sc_frame_start(&w, 1);
    sc_frame_record(&w, &sh.jo, &rec);
    cr_assert(sc_frame_full(&w, SC_FRAME_BYTES));
}

Test(journal, a_projection_is_told_by_its_properties)
{
    uint64_t bits[16][SC_PROPERTIES_MAX / 64] = {{0}};
    struct sc_wanted wanted = {bits};
    uint64_t none = sc_projection_hash(&sh.tx, &wanted);
    bits[2][0] = 1;
    uint64_t one = sc_projection_hash(&sh.tx, &wanted);
    bits[2][0] = 2;
    cr_assert(none != one && one != sc_projection_hash(&sh.tx, &wanted));
    cr_assert_eq(sc_projection_hash(&sh.tx, NULL),
                 sc_projection_hash(&sh.tx, &(struct sc_wanted){0}));
}
