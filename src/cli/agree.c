/* See agree.h. A topic that is two things would be read as what it is not: dead letters as events,
 * which become dead letters, for ever; triggers as the journal. Channels may share one: their
 * messages say which they are for. */
#include "cli/agree.h"

#include "base/assert.h"
#include "engine/topics.h"

#define TOPICS_MAX (SC_SOURCES_MAX + SC_OUT_MAX)

enum use { SOURCE, OURS, CHANNEL };

struct topic {
    struct sc_str name, what;
    enum use use;
    struct sc_mark mark;
};

struct agree {
    struct sc_diag *dg;
    struct topic v[TOPICS_MAX];
    uint32_t n;
};

static const char *const places[SC_OUT_TRIGGERS][2] = {
    [SC_OUT_JOURNAL] = {"journal", "topic"},
    [SC_OUT_STATE] = {"journal", "state_topic"},
    [SC_OUT_TRANSITIONS] = {"topics", "transitions"},
    [SC_OUT_SUPPRESSED] = {"topics", "suppressed"},
    [SC_OUT_IDENTITY] = {"topics", "identity"},
    [SC_OUT_CUSTOMERS] = {"topics", "customers"},
    [SC_OUT_ANALYTICS] = {"topics", "analytics"},
    [SC_OUT_DEAD_LETTERS] = {"topics", "dead_letters"},
};

struct sc_mark sc_agree_out_mark(const struct sc_settings *st, const struct sc_journey *jo,
                                 uint32_t index)
{
    if (index < SC_OUT_TRIGGERS)
        return sc_settings_mark(st, places[index][0], places[index][1]);
    const struct sc_node *at = jo->channels[index - SC_OUT_TRIGGERS].at;
    const struct sc_node *topic = at ? sc_node_get(at, "topic") : NULL;
    return topic ? topic->mark : at ? at->mark : (struct sc_mark){0};
}

/* ---- topics */

static void add(struct agree *ag, struct topic t)
{
    if (t.name.len == 0 || sc_str_eqz(t.name, "off"))
        return; /* said already */
    for (uint32_t i = 0; i < ag->n; i++) {
        const struct topic *other = &ag->v[i];
        if (!sc_str_eq(other->name, t.name) || (t.use == other->use && t.use != OURS))
            continue;
        struct sc_finding *f = sc_diag_add(
            ag->dg, SC_ERROR, "shared-topic", t.mark, "topic '%.*s' is that of %.*s and of %.*s",
            SC_STR_FMT(t.name), SC_STR_FMT(other->what), SC_STR_FMT(t.what));
        f->hint = SC_STR("each needs a topic of its own");
        f->decl = other->mark;
        break;
    }
    SC_ASSERT(ag->n < TOPICS_MAX);
    ag->v[ag->n++] = t;
}

static void add_ours(struct agree *ag, const struct sc_settings *st, uint32_t index,
                     struct sc_str name, bool on)
{
    if (on)
        add(ag, (struct topic){name,
                               sc_str_printf(ag->dg->ar, "`%s.%s`", places[index][0],
                                             places[index][1]),
                               OURS, sc_agree_out_mark(st, NULL, index)});
}

static void check_topics(struct agree *ag, const struct sc_settings *st,
                         const struct sc_journey *jo, const struct sc_taxonomy *tx)
{
    const struct sc_topics_settings *t = &st->topics;
    for (uint32_t i = 0; i < tx->n_sources; i++) {
        const struct sc_source *s = &tx->sources[i];
        add(ag, (struct topic){s->topic,
                               sc_str_printf(ag->dg->ar, "source '%.*s'", SC_STR_FMT(s->name)),
                               SOURCE, s->topic_at ? s->topic_at->mark : (struct sc_mark){0}});
    }
    add_ours(ag, st, SC_OUT_JOURNAL, st->journal.topic, true);
    add_ours(ag, st, SC_OUT_STATE, st->journal.state_topic, true);
    add_ours(ag, st, SC_OUT_TRANSITIONS, t->transitions.topic, t->transitions.on);
    add_ours(ag, st, SC_OUT_SUPPRESSED, t->suppressed.topic, t->suppressed.on);
    add_ours(ag, st, SC_OUT_IDENTITY, t->identity.topic, t->identity.on);
    add_ours(ag, st, SC_OUT_CUSTOMERS, t->customers.topic, t->customers.on);
    add_ours(ag, st, SC_OUT_ANALYTICS, t->analytics.topic, t->analytics.on);
    add_ours(ag, st, SC_OUT_DEAD_LETTERS, t->dead_letters, true);
    for (uint32_t i = 0; i < jo->n_channels; i++) {
        const struct sc_channel *ch = &jo->channels[i];
        add(ag, (struct topic){ch->topic,
                               sc_str_printf(ag->dg->ar, "channel '%.*s'", SC_STR_FMT(ch->name)),
                               CHANNEL, sc_agree_out_mark(st, jo, SC_OUT_TRIGGERS + i)});
    }
}

/* ---- the registry */

/* JSON is read without a schema, framed or not. */
static void check_registry(const struct sc_settings *st, const struct sc_taxonomy *tx,
                           struct sc_diag *dg)
{
    const struct sc_node *section = sc_node_get(st->at, "registry");
    const struct sc_node *url = section ? sc_node_get(section, "url") : NULL;
    if (st->registry.url.len > 0 || (url && url->faulty))
        return;
    for (uint32_t i = 0; i < tx->n_sources; i++) {
        const struct sc_source *s = &tx->sources[i];
        bool needs = s->format == SC_FORMAT_AVRO || s->format == SC_FORMAT_PROTOBUF;
        if (needs && s->schema_at == NULL && s->topic_at != NULL)
            sc_diag_add(dg, SC_ERROR, "no-registry", s->topic_at->mark,
                        "source '%.*s' is framed for a registry, and the settings name none",
                        SC_STR_FMT(s->name))
                ->hint = SC_STR("set registry.url, or give the source a local `schema`");
    }
}

void sc_agree_check(const struct sc_settings *st, const struct sc_journey *jo,
                    const struct sc_taxonomy *tx, struct sc_diag *dg)
{
    struct agree *ag = SC_NEW(dg->ar, struct agree);
    ag->dg = dg;
    check_topics(ag, st, jo, tx);
    check_registry(st, tx, dg);
}
