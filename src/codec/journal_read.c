/* Reading journal frames. Safe on any bytes: counts are bounded, names looked up, and a record that
 * does not fit its length is damage. Strings borrow from the frame.
 * Cost: about 70 ns an event of five properties, the checksum included. */
#include "codec/journal_form.h"

#include "base/arena.h"
#include "base/hash.h"

static struct sc_node_id take_node(struct sc_scan *r)
{
    struct sc_node_id n;
    sc_scan_raw(r, n.b, sizeof(n.b));
    return n;
}

/* Is it of a namespace that there is? */
static bool is_ranked(const struct sc_taxonomy *tx, const struct sc_node_id *node)
{
    return sc_node_rank(node) >= 1 && sc_node_rank(node) <= tx->n_namespaces;
}

/* ---- events */

static void take_props(struct sc_scan *r, const struct sc_event_type *et, struct sc_event *ev)
{
    uint16_t n;
    uint32_t at = 0;
    sc_scan_raw(r, &n, sizeof(n));
    struct sc_value *props = sc_arena_alloc(r->ar, sizeof(*props) * (et->n_props + 1));
    for (uint32_t i = 0; i < et->n_props; i++)
        props[i] = sc_error(SC_VE_UNKNOWN);
    for (uint32_t i = 0; i < n && !r->bad; i++) {
        uint32_t hash = sc_scan_u32(r);
        struct sc_value v = sc_scan_value(r);
        int slot = sc_flat_prop(et, hash, &at);
        if (slot >= 0)
            props[slot] = v;
    }
    ev->props = props;
    ev->n_props = et->n_props;
}

/* Of an event nobody here knows. */
static void skip_props(struct sc_scan *r)
{
    uint16_t n;
    sc_scan_raw(r, &n, sizeof(n));
    for (uint32_t i = 0; i < n && !r->bad; i++) {
        sc_scan_u32(r);
        sc_scan_value(r);
    }
}

static uint16_t source_of(const struct sc_taxonomy *tx, uint32_t hash, uint64_t hint)
{
    SC_ASSERT(tx->n_sources < SC_SOURCE_NONE);
    if (hint < tx->n_sources && tx->sources[hint].hash == hash)
        return (uint16_t)hint;
    for (uint32_t i = 0; i < tx->n_sources; i++)
        if (tx->sources[i].hash == hash)
            return (uint16_t)i;
    return SC_SOURCE_NONE;
}

/* `fr`: the frame, NULL: none. */
static void take_source(struct sc_scan *r, const struct sc_taxonomy *tx, struct sc_event *ev,
                        struct sc_frame_reader *fr)
{
    uint64_t hint = sc_scan_var(r);
    ev->source = hint ? source_of(tx, sc_scan_u32(r), hint - 1) : SC_SOURCE_NONE;
    ev->source_name = sc_scan_text(r);
    ev->id = sc_scan_text(r);
    ev->origin.topic = sc_scan_str(r);
    int64_t partition = sc_scan_int(r);
    if (partition < -1 || partition > INT32_MAX)
        sc_scan_fail(r);
    ev->origin.partition = (int32_t)partition;
    ev->origin.offset = sc_scan_int(r);
    if (fr == NULL)
        return;
    fr->before.any = true;
    fr->before.source = ev->source;
    fr->before.partition = ev->origin.partition;
    fr->before.name = ev->source_name;
    fr->before.topic = ev->origin.topic;
}

static void take_source_before(struct sc_scan *r, struct sc_event *ev,
                               const struct sc_frame_reader *fr)
{
    if (fr == NULL || !fr->before.any) {
        sc_scan_fail(r);
        return;
    }
    ev->source = fr->before.source;
    ev->source_name = fr->before.name;
    ev->id = sc_scan_text(r);
    ev->origin.topic = fr->before.topic;
    ev->origin.partition = fr->before.partition;
    ev->origin.offset = sc_scan_int(r);
}

static void take_ids(struct sc_scan *r, const struct sc_taxonomy *tx, struct sc_event *ev)
{
    ev->n_ids = sc_scan_u8(r);
    if (ev->n_ids > SC_IDENTIFIERS_MAX) {
        ev->n_ids = 0;
        sc_scan_fail(r);
    }
    for (uint32_t i = 0; i < ev->n_ids; i++) {
        struct sc_node_id node = take_node(r);
        if (!is_ranked(tx, &node))
            sc_scan_fail(r);
        ev->ids[i] = (struct sc_identifier){.ns = (uint8_t)(sc_node_rank(&node) - 1), .node = node};
    }
}

static void take_times(struct sc_scan *r, uint8_t bits, struct sc_event *ev)
{
    ev->occurred_ms = sc_scan_int(r);
    if (ev->occurred_ms <= -SC_MS_LIMIT || ev->occurred_ms >= SC_MS_LIMIT) {
        sc_scan_fail(r);
        ev->occurred_ms = 0;
    }
    ev->claimed_ms = bits & SC_EB_CLAIMED ? sc_scan_near(r, ev->occurred_ms) : ev->occurred_ms;
    ev->ids_demoted = bits & SC_EB_DEMOTED ? sc_scan_count(r, UINT32_MAX, 0) : 0;
}

static void take_event(struct sc_scan *r, const struct sc_taxonomy *tx, bool props,
                       struct sc_event *ev, struct sc_frame_reader *fr)
{
    uint32_t hash = sc_scan_u32(r);
    int type = sc_flat_event(tx, hash, sc_scan_var(r));
    uint8_t bits = sc_scan_u8(r);
    ev->type = type < 0 ? SC_EVENT_UNKNOWN : (uint16_t)type;
    ev->deprecated = bits & SC_EB_DEPRECATED;
    ev->clamped = bits & SC_EB_CLAMPED;
    ev->id_hash = sc_scan_u64(r);
    ev->content_hash = sc_scan_u32(r);
    take_times(r, bits, ev);
    take_ids(r, tx, ev);
    if (bits & SC_EB_AS_BEFORE)
        take_source_before(r, ev, fr);
    else
        take_source(r, tx, ev, fr);
    ev->phone_zone = bits & SC_EB_ZONE ? sc_scan_text(r) : SC_STR_NULL;
    ev->traceparent = bits & SC_EB_TRACE ? sc_scan_str(r) : SC_STR_NULL;
    ev->duplicate_of = bits & SC_EB_DUPLICATE ? sc_scan_str(r) : SC_STR_NULL;
    ev->props = NULL;
    ev->n_props = 0;
    if (props && type >= 0)
        take_props(r, &tx->events[type], ev);
    else if (props)
        skip_props(r);
}

/* ---- records */

static struct sc_link take_link(struct sc_scan *r, const struct sc_taxonomy *tx)
{
    struct sc_link li;
    uint8_t bits = sc_scan_u8(r);
    if (bits > SC_LB_ALL)
        sc_scan_fail(r);
    li.strong = take_node(r);
    li.weak = take_node(r);
    li.a = bits & SC_LB_A ? take_node(r) : li.strong;
    li.b = bits & SC_LB_B ? take_node(r) : li.weak;
    if (!is_ranked(tx, &li.strong) || !is_ranked(tx, &li.weak))
        sc_scan_fail(r);
    return li;
}

static void take_links(struct sc_scan *r, const struct sc_taxonomy *tx, struct sc_record *rec)
{
    rec->n_links = sc_scan_u8(r);
    if (rec->n_links == 0 || rec->n_links > SC_LINKS_MAX) {
        rec->n_links = 0;
        sc_scan_fail(r);
    }
    for (uint32_t i = 0; i < rec->n_links; i++)
        rec->links[i] = take_link(r, tx);
}

static void take_parts(struct sc_scan *r, const struct sc_taxonomy *tx, unsigned bits,
                       struct sc_record *rec)
{
    rec->has_via = bits & SC_RP_VIA;
    rec->ambiguous = bits & SC_RP_AMBIGUOUS;
    rec->let_go = bits & SC_RP_LET_GO;
    if (rec->has_via) {
        rec->via = take_node(r);
        rec->via_gen = sc_scan_count(r, UINT32_MAX, 0);
    }
    rec->has_heard = bits & SC_RP_HEARD;
    if (rec->has_heard)
        rec->heard_ms = sc_scan_int(r);
    if (bits & SC_RP_HOME)
        rec->home = take_node(r);
    if (bits & SC_RP_LINKS)
        take_links(r, tx, rec);
    if (bits & SC_RP_DECIDED)
        sc_scan_raw(r, &rec->decided, sizeof(rec->decided));
    if (bits & SC_RP_NODE) {
        rec->node = take_node(r);
        rec->gen = sc_scan_count(r, UINT32_MAX, 0);
    }
    if (bits & SC_RP_OTHER)
        rec->other = take_node(r);
    if (bits & SC_RP_LINK)
        rec->link = take_link(r, tx);
    if (bits & SC_RP_VIOLATION)
        rec->violation = sc_scan_u8(r);
    if (bits & SC_RP_ERASE)
        rec->erase_ms = sc_scan_int(r);
    if (bits & SC_RP_COMMAND) {
        rec->by = sc_scan_str(r);
        rec->why = sc_scan_str(r);
    }
    if (rec->violation > SC_VIOLATION_HOPS)
        sc_scan_fail(r);
}

static void take_state(struct sc_scan *r, const struct sc_journey *jo, struct sc_record *rec)
{
    struct sc_node_id node = take_node(r);
    struct sc_str bytes = sc_scan_str(r);
    if (jo == NULL || sc_node_none(&node))
        sc_scan_fail(r);
    /* A copy: what is absorbed of it lives as long as the arena, the frame does not. */
    rec->state = r->bad ? NULL : sc_state_decode(jo, node, sc_str_dup(r->ar, bytes), r->ar);
    if (rec->state == NULL)
        sc_scan_fail(r);
}

/* What each kind cannot be without. */
static bool whole(const struct sc_record *rec)
{
    switch ((enum sc_record_kind)rec->kind) {
    case SC_REC_EVENT:
        return rec->ev != NULL && rec->ev->n_ids > 0;
    case SC_REC_LINK:
        return rec->n_links > 0;
    case SC_REC_STATE:
        return rec->state != NULL && !sc_node_none(&rec->node);
    case SC_REC_RETURN:
        return rec->state != NULL && !sc_node_none(&rec->node) && !sc_node_none(&rec->other);
    case SC_REC_SPLIT:
        return !sc_node_none(&rec->node);
    case SC_REC_LEAVE:
        return !sc_node_none(&rec->node) &&
               (!sc_node_none(&rec->other) || !sc_node_eq(&rec->node, &rec->to));
    case SC_REC_ASK:
        return !sc_node_none(&rec->node) && !sc_node_none(&rec->other);
    case SC_REC_ERASE:
        return rec->erase_ms > -SC_MS_LIMIT && rec->erase_ms < SC_MS_LIMIT;
    case SC_REC_HEARTBEAT:
    case SC_REC_TRAILER:
        break;
    }
    return false;
}

static void take_record(struct sc_scan *r, const struct sc_taxonomy *tx,
                        const struct sc_journey *jo, struct sc_frame_item *out,
                        struct sc_frame_reader *fr)
{
    struct sc_record *rec = &out->rec;
    uint16_t bits;
    size_t links = offsetof(struct sc_record, links), behind = offsetof(struct sc_record, n_links);
    memset(rec, 0, links); /* the links, most of its bytes, are written where there are any */
    memset((char *)rec + behind, 0, sizeof(*rec) - behind);
    rec->kind = out->kind;
    sc_scan_raw(r, &bits, sizeof(bits));
    if (!(bits & SC_RP_FIRST))
        rec->to = take_node(r);
    rec->hops = sc_scan_u8(r);
    take_parts(r, tx, bits, rec);
    if (bits & SC_RP_STATE)
        take_state(r, jo, rec);
    if (bits & SC_RP_EVENT) {
        take_event(r, tx, rec->kind == SC_REC_EVENT, &out->event, fr);
        rec->ev = &out->event;
    }
    if (bits & SC_RP_FIRST && rec->ev && rec->ev->n_ids)
        rec->to = rec->ev->ids[0].node;
    if (!(bits & SC_RP_HOME) && (rec->kind == SC_REC_EVENT || rec->kind == SC_REC_LINK))
        rec->home = rec->to;
    if (sc_node_none(&rec->to))
        sc_scan_fail(r);
    if (fr && fr->version <= SC_FRAME_NO_ASK && rec->kind == SC_REC_LEAVE &&
        !sc_node_none(&rec->other))
        out->kind = rec->kind = SC_REC_ASK;
    if (!r->bad && !whole(rec))
        sc_scan_fail(r);
}

/* An event this taxonomy has not: its links still join. False: nothing is left of it. */
static bool known(struct sc_frame_item *out)
{
    struct sc_record *rec = &out->rec;
    if (rec->kind != SC_REC_EVENT || rec->ev->type != SC_EVENT_UNKNOWN)
        return true;
    SC_ASSERT(rec->ev == &out->event);
    out->kind = rec->kind = SC_REC_LINK;
    return rec->n_links > 0;
}

bool sc_record_decode(const struct sc_taxonomy *tx, struct sc_str in, struct sc_arena *ar,
                      struct sc_frame_item *out)
{
    SC_ASSERT(tx != NULL && ar != NULL);
    struct sc_scan r = sc_scan_from(in, ar);
    out->kind = sc_scan_u8(&r);
    if (out->kind >= SC_REC_HEARTBEAT)
        return false;
    take_record(&r, tx, NULL, out, NULL);
    return !r.bad && r.p == r.end;
}

/* ---- the engine's own */

static void take_heartbeat(struct sc_scan *r, struct sc_heartbeat *hb)
{
    hb->n = sc_scan_count(r, UINT32_MAX, 7);
    struct sc_progress *progress = SC_NEW_N(r->ar, struct sc_progress, hb->n + 1);
    for (uint32_t i = 0; i < hb->n; i++) {
        progress[i].source = sc_scan_u32(r);
        progress[i].partition = (int32_t)sc_scan_int(r);
        uint8_t bits = sc_scan_u8(r);
        progress[i].idle = bits & SC_HB_IDLE;
        progress[i].empty = bits & SC_HB_EMPTY;
        progress[i].ms = sc_scan_ms(r, 0);
        if (bits > SC_HB_ALL)
            sc_scan_fail(r);
    }
    hb->progress = progress;
    hb->n_parts = sc_scan_count(r, UINT32_MAX, 5);
    struct sc_source_parts *parts = SC_NEW_N(r->ar, struct sc_source_parts, hb->n_parts + 1);
    for (uint32_t i = 0; i < hb->n_parts; i++) {
        parts[i].source = sc_scan_u32(r);
        parts[i].partitions = (int32_t)sc_scan_int(r);
    }
    hb->parts = parts;
}

/* ---- frames */

bool sc_frame_open(struct sc_frame_reader *r, const struct sc_journey *jo, struct sc_str frame,
                   struct sc_arena *ar)
{
    SC_ASSERT(jo != NULL && jo->tx != NULL && ar != NULL);
    *r = (struct sc_frame_reader){.in = frame, .at = SC_FRAME_HEAD, .jo = jo, .ar = ar};
    if (frame.len < SC_FRAME_HEAD)
        return false;
    struct sc_scan scan = sc_scan_from(frame, ar);
    uint32_t magic = sc_scan_u32(&scan), crc = sc_scan_u32(&scan);
    r->version = sc_scan_u8(&scan);
    uint8_t zero = sc_scan_u8(&scan);
    uint16_t records;
    sc_scan_raw(&scan, &records, sizeof(records));
    uint32_t bytes = sc_scan_u32(&scan);
    r->projection = sc_scan_u64(&scan);
    r->left = records;
    return magic == SC_FRAME_MAGIC && r->version >= SC_FRAME_OLDEST &&
           r->version <= SC_FRAME_VERSION && zero == 0 &&
           bytes == frame.len - SC_FRAME_HEAD &&
           crc == sc_hash_crc32c(frame.p + SC_FRAME_SUMMED, frame.len - SC_FRAME_SUMMED);
}

static bool take_item(struct sc_frame_reader *r, struct sc_str bytes, struct sc_frame_item *out)
{
    struct sc_scan scan = sc_scan_from(bytes, r->ar);
    out->kind = sc_scan_u8(&scan);
    if (r->version <= SC_FRAME_NO_ASK && out->kind >= SC_REC_ASK && out->kind < SC_REC_TRAILER)
        out->kind++;
    if (out->kind == SC_REC_HEARTBEAT) {
        take_heartbeat(&scan, &out->heartbeat);
    } else if (out->kind == SC_REC_TRAILER) {
        out->trailer.boot = sc_scan_u64(&scan);
        out->trailer.k = sc_scan_u64(&scan);
        out->trailer.records = sc_scan_u32(&scan);
    } else if (out->kind < SC_REC_HEARTBEAT) {
        take_record(&scan, r->jo->tx, r->jo, out, r);
    } else {
        return false;
    }
    return !scan.bad && scan.p == scan.end;
}

int sc_frame_next(struct sc_frame_reader *r, struct sc_frame_item *out)
{
    SC_ASSERT(r->at <= r->in.len);
    while (r->left > 0) {
        uint32_t bytes;
        size_t left = r->in.len - r->at;
        if (left < sizeof(bytes))
            return -1;
        memcpy(&bytes, r->in.p + r->at, sizeof(bytes));
        if (bytes > left - sizeof(bytes))
            return -1;
        struct sc_str body = {r->in.p + r->at + sizeof(bytes), bytes};
        r->at += sizeof(bytes) + bytes;
        r->left--;
        if (!take_item(r, body, out))
            return -1;
        r->unknown += out->kind == SC_REC_EVENT && out->rec.ev->type == SC_EVENT_UNKNOWN;
        if (out->kind >= SC_REC_HEARTBEAT || known(out))
            return 1;
    }
    return r->at == r->in.len ? 0 : -1;
}
