/* Writing journal frames: see journal.h, layout in journal_form.h and docs/formats.md.
 *
 * Parts that a record has not cost nothing, a link's roots stand only where they differ from its
 * nodes. Cost: about 60 ns an event of five properties. */
#include "codec/journal_form.h"

#include "base/hash.h"

static void put_node(struct sc_pen *w, const struct sc_node_id *n)
{
    sc_pen_raw(w, n->b, sizeof(n->b));
}

/* ---- events */

/* Did the writer look for this property? An absent one stands only then. */
static bool projected(const struct sc_taxonomy *tx, const struct sc_event *ev, uint32_t slot)
{
    bool canonical = ev->source == SC_SOURCE_NONE;
    SC_ASSERT(canonical || ev->source < tx->n_sources);
    const struct sc_source *src = canonical ? &tx->canonical : &tx->sources[ev->source];
    if (src->events == NULL)
        return true; /* no mapping: read as it came */
    const struct sc_source_event *se = &src->events[ev->type];
    for (uint32_t i = 0; i < se->n; i++) { /* declared order: found at once */
        const struct sc_source_prop *p = &se->props[slot + i < se->n ? slot + i : slot + i - se->n];
        if (p->prop == slot)
            return p->map.slot != SC_SLOT_NONE || p->map.op == SC_MAP_CONST;
    }
    return false;
}

static void put_props(struct sc_pen *w, const struct sc_taxonomy *tx, const struct sc_event *ev)
{
    const struct sc_event_type *et = &tx->events[ev->type];
    SC_ASSERT(ev->n_props <= et->n_props && et->n_props <= SC_PROPERTIES_MAX);
    uint32_t n = 0;
    sc_pen_room(w, 2);
    size_t at = (size_t)(w->p - (uint8_t *)w->out->p);
    w->p += 2;
    for (uint32_t i = 0; i < ev->n_props; i++) {
        struct sc_value v = ev->props[i];
        if (v.type == SC_T_ERROR || (v.type == SC_T_ABSENT && !projected(tx, ev, i)))
            continue;
        sc_pen_room(w, 4);
        sc_pen_u32(w, et->props[i].hash);
        sc_pen_value(w, v);
        n++;
    }
    memcpy(w->out->p + at, &(uint16_t){(uint16_t)n}, 2);
}

static uint8_t event_bits(const struct sc_event *ev)
{
    unsigned bits = ev->deprecated ? SC_EB_DEPRECATED : 0;
    bits |= ev->clamped ? SC_EB_CLAMPED : 0;
    bits |= ev->claimed_ms != ev->occurred_ms ? SC_EB_CLAIMED : 0;
    bits |= ev->ids_demoted ? SC_EB_DEMOTED : 0;
    bits |= ev->phone_zone.len ? SC_EB_ZONE : 0;
    bits |= ev->traceparent.len ? SC_EB_TRACE : 0;
    bits |= ev->duplicate_of.len ? SC_EB_DUPLICATE : 0;
    return (uint8_t)bits;
}

static bool stands_at(const struct sc_frame_writer *f, size_t at, size_t len, struct sc_str s)
{
    return s.len == len && (len == 0 || memcmp(f->buf.p + at, s.p, len) == 0);
}

static bool as_before(const struct sc_frame_writer *f, const struct sc_event *ev)
{
    return f->before.any && f->before.source == ev->source &&
           f->before.partition == ev->origin.partition &&
           stands_at(f, f->before.topic_at, f->before.topic_len, ev->origin.topic) &&
           stands_at(f, f->before.name_at, f->before.name_len, ev->source_name);
}

/* Returns where its bytes stand. */
static size_t put_text(struct sc_pen *w, struct sc_str s)
{
    sc_pen_str(w, s);
    return (size_t)(w->p - (uint8_t *)w->out->p) - s.len;
}

/* `f`: the frame, NULL: none. */
static void put_source(struct sc_pen *w, const struct sc_taxonomy *tx, const struct sc_event *ev,
                       struct sc_frame_writer *f)
{
    bool none = ev->source == SC_SOURCE_NONE;
    SC_ASSERT(none || ev->source < tx->n_sources);
    sc_pen_var(w, none ? 0 : ev->source + 1u);
    if (!none)
        sc_pen_u32(w, tx->sources[ev->source].hash);
    size_t name_at = put_text(w, ev->source_name);
    sc_pen_str(w, ev->id);
    size_t topic_at = put_text(w, ev->origin.topic);
    sc_pen_int(w, ev->origin.partition);
    sc_pen_int(w, ev->origin.offset);
    if (f == NULL)
        return;
    f->before.any = true;
    f->before.source = ev->source;
    f->before.partition = ev->origin.partition;
    f->before.name_at = name_at;
    f->before.name_len = ev->source_name.len;
    f->before.topic_at = topic_at;
    f->before.topic_len = ev->origin.topic.len;
}

static void put_event(struct sc_pen *w, const struct sc_taxonomy *tx, const struct sc_event *ev,
                      bool props, struct sc_frame_writer *f)
{
    SC_ASSERT(ev->n_ids <= SC_IDENTIFIERS_MAX);
    bool known = ev->type < tx->n_events;
    SC_ASSERT(known || !props);
    bool same = f && as_before(f, ev);
    uint8_t bits = event_bits(ev) | (same ? SC_EB_AS_BEFORE : 0);
    sc_pen_room(w, 24 + 16 * (size_t)SC_IDENTIFIERS_MAX + 8 * (size_t)SC_VARINT_BYTES);
    sc_pen_u32(w, known ? tx->events[ev->type].hash : 0);
    sc_pen_var(w, ev->type);
    sc_pen_u8(w, bits);
    sc_pen_u64(w, ev->id_hash);
    sc_pen_u32(w, ev->content_hash);
    sc_pen_int(w, ev->occurred_ms);
    if (bits & SC_EB_CLAIMED)
        sc_pen_near(w, ev->occurred_ms, ev->claimed_ms);
    if (bits & SC_EB_DEMOTED)
        sc_pen_var(w, ev->ids_demoted);
    sc_pen_u8(w, (uint8_t)ev->n_ids);
    for (uint32_t i = 0; i < ev->n_ids; i++)
        put_node(w, &ev->ids[i].node);
    if (same) {
        sc_pen_str(w, ev->id);
        sc_pen_int(w, ev->origin.offset);
    } else {
        put_source(w, tx, ev, f);
    }
    if (bits & SC_EB_ZONE)
        sc_pen_str(w, ev->phone_zone);
    if (bits & SC_EB_TRACE)
        sc_pen_str(w, ev->traceparent);
    if (bits & SC_EB_DUPLICATE)
        sc_pen_str(w, ev->duplicate_of);
    if (props)
        put_props(w, tx, ev);
}

/* ---- records */

static void put_link(struct sc_pen *w, const struct sc_link *li)
{
    uint8_t bits = (uint8_t)((sc_node_eq(&li->a, &li->strong) ? 0 : SC_LB_A) |
                             (sc_node_eq(&li->b, &li->weak) ? 0 : SC_LB_B));
    sc_pen_room(w, 1 + 4 * sizeof(struct sc_node_id));
    sc_pen_u8(w, bits);
    put_node(w, &li->strong);
    put_node(w, &li->weak);
    if (bits & SC_LB_A)
        put_node(w, &li->a);
    if (bits & SC_LB_B)
        put_node(w, &li->b);
}

static unsigned record_bits(const struct sc_record *rec)
{
    unsigned bits = rec->has_via ? SC_RP_VIA : 0;
    bits |= !sc_node_none(&rec->home) && !sc_node_eq(&rec->home, &rec->to) ? SC_RP_HOME : 0;
    bits |= rec->n_links ? SC_RP_LINKS : 0;
    bits |= !sc_node_none(&rec->node) ? SC_RP_NODE : 0;
    bits |= !sc_node_none(&rec->other) ? SC_RP_OTHER : 0;
    bits |= !sc_node_none(&rec->link.strong) ? SC_RP_LINK : 0;
    bits |= rec->violation ? SC_RP_VIOLATION : 0;
    bits |= rec->kind == SC_REC_ERASE ? SC_RP_ERASE : 0;
    bits |= rec->state ? SC_RP_STATE : 0;
    bits |= rec->ev ? SC_RP_EVENT : 0;
    bits |= rec->ambiguous ? SC_RP_AMBIGUOUS : 0;
    bits |= rec->decided ? SC_RP_DECIDED : 0;
    bits |= rec->let_go ? SC_RP_LET_GO : 0;
    bits |= rec->has_heard ? SC_RP_HEARD : 0;
    bits |= rec->by.len || rec->why.len ? SC_RP_COMMAND : 0;
    return bits;
}

static void put_state(struct sc_pen *w, const struct sc_journey *jo, const struct sc_state *st)
{
    SC_ASSERT(jo != NULL);
    struct sc_buf bytes = {.ar = st->ar};
    sc_state_encode(jo, st, &bytes);
    sc_pen_room(w, sizeof(st->node));
    put_node(w, &st->node);
    sc_pen_str(w, sc_buf_view(&bytes));
}

static void put_parts(struct sc_pen *w, unsigned bits, const struct sc_record *rec)
{
    sc_pen_room(w, 4 * sizeof(rec->to) + 7 * (size_t)SC_VARINT_BYTES);
    if (bits & SC_RP_VIA) {
        put_node(w, &rec->via);
        sc_pen_var(w, rec->via_gen);
    }
    if (bits & SC_RP_HEARD)
        sc_pen_int(w, rec->heard_ms);
    if (bits & SC_RP_HOME)
        put_node(w, &rec->home);
    if (bits & SC_RP_LINKS) {
        SC_ASSERT(rec->n_links <= SC_LINKS_MAX);
        sc_pen_u8(w, (uint8_t)rec->n_links);
        for (uint32_t i = 0; i < rec->n_links; i++)
            put_link(w, &rec->links[i]);
        sc_pen_room(w, 2 * sizeof(rec->to) + 6 * (size_t)SC_VARINT_BYTES);
    }
    if (bits & SC_RP_DECIDED)
        sc_pen_raw(w, &rec->decided, sizeof(rec->decided));
    if (bits & SC_RP_NODE) {
        put_node(w, &rec->node);
        sc_pen_var(w, rec->gen);
    }
    if (bits & SC_RP_OTHER)
        put_node(w, &rec->other);
    if (bits & SC_RP_LINK)
        put_link(w, &rec->link);
    sc_pen_room(w, 2 * SC_VARINT_BYTES);
    if (bits & SC_RP_VIOLATION)
        sc_pen_u8(w, rec->violation);
    if (bits & SC_RP_ERASE)
        sc_pen_int(w, rec->erase_ms);
    if (bits & SC_RP_COMMAND) {
        sc_pen_str(w, rec->by);
        sc_pen_str(w, rec->why);
    }
}

/* `jo` may be NULL where no state can be. `f`: the frame it stands in, NULL: it stands alone. */
static void put_record(struct sc_pen *w, const struct sc_taxonomy *tx, const struct sc_journey *jo,
                       const struct sc_record *rec, struct sc_frame_writer *f)
{
    SC_ASSERT(rec->kind < SC_REC_HEARTBEAT);
    SC_ASSERT(!sc_node_none(&rec->to));
    unsigned bits = record_bits(rec);
    if (f && rec->ev && rec->ev->n_ids && sc_node_eq(&rec->to, &rec->ev->ids[0].node))
        bits |= SC_RP_FIRST;
    sc_pen_room(w, 4 + sizeof(rec->to));
    sc_pen_u8(w, rec->kind);
    sc_pen_raw(w, &(uint16_t){(uint16_t)bits}, 2);
    if (!(bits & SC_RP_FIRST))
        put_node(w, &rec->to);
    sc_pen_u8(w, rec->hops);
    put_parts(w, bits, rec);
    if (bits & SC_RP_STATE)
        put_state(w, jo, rec->state);
    if (bits & SC_RP_EVENT)
        put_event(w, tx, rec->ev, rec->kind == SC_REC_EVENT, f);
}

void sc_record_encode(const struct sc_taxonomy *tx, const struct sc_record *rec,
                      struct sc_buf *out)
{
    SC_ASSERT(rec->state == NULL);
    struct sc_pen w;
    sc_pen_open(&w, out);
    put_record(&w, tx, NULL, rec, NULL);
    sc_pen_close(&w);
    SC_ASSERT(out->len > 0);
}

/* ---- frames */

void sc_frame_start(struct sc_frame_writer *w, uint64_t projection_hash)
{
    static const char head[SC_FRAME_HEAD];
    w->buf.len = 0;
    w->n = 0;
    w->projection = projection_hash;
    w->before.any = false;
    sc_buf_add(&w->buf, head, sizeof(head));
    SC_ASSERT(w->buf.len == SC_FRAME_HEAD);
}

void sc_frame_fini(struct sc_frame_writer *w)
{
    sc_buf_fini(&w->buf);
    w->n = 0;
}

bool sc_frame_full(const struct sc_frame_writer *w, size_t more)
{
    SC_ASSERT(w->buf.len >= SC_FRAME_HEAD);
    return w->n >= SC_FRAME_RECORDS || (w->n > 0 && w->buf.len + more >= SC_FRAME_BYTES);
}

/* A record's length stands before it. */
static size_t record_open(struct sc_frame_writer *w, struct sc_pen *pen)
{
    SC_ASSERT(w->buf.len >= SC_FRAME_HEAD && w->n < UINT16_MAX);
    sc_pen_open(pen, &w->buf);
    size_t at = w->buf.len;
    pen->p += 4;
    return at;
}

static void record_close(struct sc_frame_writer *w, struct sc_pen *pen, size_t at)
{
    sc_pen_close(pen);
    SC_ASSERT(w->buf.len - at - 4 <= UINT32_MAX);
    uint32_t bytes = (uint32_t)(w->buf.len - at - 4);
    memcpy(w->buf.p + at, &bytes, sizeof(bytes));
    w->n++;
}

void sc_frame_record(struct sc_frame_writer *w, const struct sc_journey *jo,
                     const struct sc_record *rec)
{
    SC_ASSERT(jo != NULL && jo->tx != NULL);
    struct sc_pen pen;
    size_t at = record_open(w, &pen);
    put_record(&pen, jo->tx, jo, rec, w);
    record_close(w, &pen, at);
}

void sc_frame_heartbeat(struct sc_frame_writer *w, const struct sc_heartbeat *hb)
{
    SC_ASSERT(hb->n == 0 || hb->progress != NULL);
    struct sc_pen pen;
    size_t at = record_open(w, &pen);
    sc_pen_u8(&pen, SC_REC_HEARTBEAT);
    sc_pen_room(&pen, (hb->n + hb->n_parts + 1) * (5 + 2 * (size_t)SC_VARINT_BYTES));
    sc_pen_var(&pen, hb->n);
    for (uint32_t i = 0; i < hb->n; i++) {
        const struct sc_progress *pr = &hb->progress[i];
        sc_pen_u32(&pen, pr->source);
        sc_pen_int(&pen, pr->partition);
        sc_pen_u8(&pen, (uint8_t)((pr->idle ? SC_HB_IDLE : 0) | (pr->empty ? SC_HB_EMPTY : 0)));
        sc_pen_ms(&pen, 0, pr->ms);
    }
    sc_pen_var(&pen, hb->n_parts);
    for (uint32_t i = 0; i < hb->n_parts; i++) {
        sc_pen_u32(&pen, hb->parts[i].source);
        sc_pen_int(&pen, hb->parts[i].partitions);
    }
    record_close(w, &pen, at);
}

void sc_frame_trailer(struct sc_frame_writer *w, const struct sc_trailer *tr)
{
    SC_ASSERT(tr->k > 0);
    struct sc_pen pen;
    size_t at = record_open(w, &pen);
    sc_pen_u8(&pen, SC_REC_TRAILER);
    sc_pen_u64(&pen, tr->boot);
    sc_pen_u64(&pen, tr->k);
    sc_pen_u32(&pen, tr->records);
    record_close(w, &pen, at);
}

struct sc_str sc_frame_finish(struct sc_frame_writer *w)
{
    struct {
        uint32_t magic, crc;
        uint8_t version, zero;
        uint16_t records;
        uint32_t bytes;
        uint64_t projection;
    } head = {SC_FRAME_MAGIC, 0, SC_FRAME_VERSION, 0, (uint16_t)w->n,
              (uint32_t)(w->buf.len - SC_FRAME_HEAD), w->projection};
    _Static_assert(sizeof(head) == SC_FRAME_HEAD, "no padding");
    SC_ASSERT(w->n > 0 && w->n <= UINT16_MAX);
    memcpy(w->buf.p, &head, sizeof(head));
    head.crc = sc_hash_crc32c(w->buf.p + SC_FRAME_SUMMED, w->buf.len - SC_FRAME_SUMMED);
    memcpy(w->buf.p + 4, &head.crc, sizeof(head.crc));
    return sc_buf_view(&w->buf);
}

uint64_t sc_projection_hash(const struct sc_taxonomy *tx, const struct sc_wanted *wanted)
{
    SC_ASSERT(tx->n_events <= SC_EVENTS_MAX);
    uint64_t hash = 0;
    for (uint32_t e = 0; e < tx->n_events; e++) {
        const struct sc_event_type *et = &tx->events[e];
        hash = sc_hash_xxh3(&et->hash, sizeof(et->hash), hash);
        for (uint32_t i = 0; i < et->n_props; i++) {
            bool reads = wanted == NULL || wanted->bits == NULL ||
                         (wanted->bits[e][i / 64] >> (i % 64) & 1);
            if (reads)
                hash = sc_hash_xxh3(&et->props[i].hash, sizeof(et->props[i].hash), hash);
        }
    }
    return hash;
}
