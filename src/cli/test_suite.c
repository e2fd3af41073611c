/* See test_suite.h. */
#include "cli/test_suite.h"

#include "cli/key.h"
#include "cli/test_trace.h"
#include <errno.h>

void sc_test_suite_init(struct sc_test_suite *su, struct sc_project *pr,
                        const struct sc_journey *jo, struct sc_diag *dg)
{
    *su = (struct sc_test_suite){.jo = jo};
    sc_arena_init(&su->line);
    sc_taxonomy_project(jo->tx, NULL, &pr->ar);
    su->ps = sc_pseudonyms_create(jo->tx, SC_STR(SC_KEY_DEVELOPMENT), 0, 1u << 10);
    sc_canonical_init(&su->reader, jo->tx, su->ps, &pr->ar, &su->line);
    su->cases = (struct sc_test_cases){.jo = jo, .reader = &su->reader, .ar = &pr->ar, .dg = dg};
    if (jo->tests != NULL)
        sc_test_cases_add(&su->cases, jo->tests);
}

void sc_test_suite_fini(struct sc_test_suite *su)
{
    if (su->ps)
        sc_pseudonyms_destroy(su->ps);
    sc_arena_fini(&su->line);
}

bool sc_test_suite_is_trace(const char *path)
{
    return sc_str_ends(sc_str_from(path), SC_STR(".trace"));
}

static bool add_yaml(struct sc_test_suite *su, struct sc_project *pr, const char *path)
{
    struct sc_diag *dg = su->cases.dg;
    const struct sc_node *doc = sc_project_read(pr, path, dg);
    if (doc == NULL)
        return errno == 0;
    const struct sc_node *list = sc_node_get(doc, "tests");
    if (list == NULL) {
        sc_diag_add(dg, SC_ERROR, "bad-test", doc->mark,
                    "this is no file of cases: those have a list under the key `tests`; the "
                    "journey is the first file named");
        return true;
    }
    for (uint32_t i = 0; doc->kind == SC_NODE_MAP && i < doc->n; ++i)
        if (!sc_str_eqz(doc->pairs[i].key->text, "tests"))
            sc_diag_add(dg, SC_ERROR, "unknown-key", doc->pairs[i].key->mark,
                        "a file of cases has no key but `tests`");
    sc_test_cases_add(&su->cases, list);
    return true;
}

bool sc_test_suite_add(struct sc_test_suite *su, struct sc_project *pr, const char *path)
{
    struct sc_str text, name = sc_str_dup(&pr->ar, sc_str_from(path));
    if (!sc_test_suite_is_trace(path))
        return add_yaml(su, pr, path);
    if (!sc_project_text(pr, path, &text))
        return false;
    sc_test_cases_add(&su->cases,
                      sc_test_trace_parse(su->jo->tx, name, text, &pr->ar, su->cases.dg));
    return true;
}
