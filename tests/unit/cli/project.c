/* Files that name each other, and zones that customers name. */
#include "base/time.h"
#include "cli/cli.h"
#include "cli/project.h"
#include "cli/setup.h"
#include "cli/zones.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CASES SC_TEST_DIR "/cases/journey_load"

static char folder[] = "/tmp/sc-project-XXXXXX";

static const char *write_file(const char *name, const char *text)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    cr_assert(f != NULL);
    fputs(text, f);
    fclose(f);
    return path;
}

static void setup(void)
{
    cr_assert(mkdtemp(folder) != NULL);
}

static void teardown(void)
{
    static const char *const names[] = {"a.yaml", "b.yaml", "c.yaml"};
    for (size_t i = 0; i < 3; ++i) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

TestSuite(project, .init = setup, .fini = teardown);

Test(project, a_journey_comes_with_its_taxonomy_ready_to_step)
{
    struct sc_project pr = {0};
    cr_assert_eq(sc_project_load_journey(&pr, CASES "/whole.yaml"), SC_EXIT_OK);
    cr_expect_eq(pr.journey->tx, pr.taxonomy);
    cr_expect_null(pr.settings);
    cr_expect_gt(pr.taxonomy->canonical.projection.n, 0);
    cr_assert(pr.journey->zone != NULL);
    cr_expect(pr.journey->zone(pr.journey->zone_arg, SC_STR("Europe/Oslo")) != NULL);
    sc_project_fini(&pr);
    sc_project_fini(&pr);
}

/* A group and an instance as long as they may be: the name is cut, and yet tells them apart. */
Test(project, a_writer_s_name_is_of_32_bytes_and_its_own)
{
    char text[301], name[4][33];
    memset(text, 'g', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct sc_settings settings = {.kafka.group = sc_str_from(text), .instance = sc_str_from(text)};
    struct sc_project pr = {.settings = &settings};
    const struct sc_setup su = {.project = &pr};
    sc_setup_writer(&su, 'r', 0, name[0]);
    sc_setup_writer(&su, 'r', 1, name[1]);
    sc_setup_writer(&su, 'j', 0, name[2]);
    settings.kafka.group = SC_STR("shop");
    settings.instance = SC_STR("a b");
    sc_setup_writer(&su, 'j', 3, name[3]);
    cr_expect_eq(strlen(name[0]), 32);
    cr_expect_str_neq(name[0], name[1]);
    cr_expect_str_neq(name[0], name[2]);
    cr_expect_str_eq(name[3], "shop-j-a-b-3");
}

Test(project, settings_come_with_both)
{
    struct sc_project pr = {0};
    cr_assert_eq(sc_project_load_settings(&pr, CASES "/settings_small.yaml"), SC_EXIT_OK);
    cr_expect(pr.settings != NULL && pr.journey != NULL && pr.taxonomy == pr.journey->tx);
    cr_expect_eq(pr.files.n, 3);
    sc_project_fini(&pr);
}

Test(project, a_file_is_read_once_whatever_names_it)
{
    struct sc_project pr = {0};
    struct sc_project_file *tx = sc_project_add(&pr, CASES "/taxonomy.yaml");
    struct sc_project_file *jo = sc_project_add(&pr, CASES "/../journey_load/whole.yaml");
    cr_assert(tx != NULL && jo != NULL);
    cr_expect_eq(jo->taxonomy, tx->taxonomy);
    cr_expect_eq(sc_project_add(&pr, CASES "/whole.yaml"), jo);
    cr_expect_eq(pr.files.n, 2);
    sc_project_fini(&pr);
}

Test(project, exit_codes)
{
    static const struct {
        const char *path;
        int rc;
    } cases[] = {
        {CASES "/nowhere.yaml", SC_EXIT_NOINPUT}, {CASES, SC_EXIT_NOINPUT},
        {CASES "/facts.yaml", SC_EXIT_CONFIG},    {CASES "/taxonomy.yaml", SC_EXIT_CONFIG},
        {CASES "/nothing.yaml", SC_EXIT_CONFIG},  {CASES "/no_taxonomy.yaml", SC_EXIT_CONFIG},
        {CASES "/flow_quote.yaml", SC_EXIT_CONFIG}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        struct sc_project pr = {0};
        cr_expect_eq(sc_project_load_journey(&pr, cases[i].path), cases[i].rc, "%s", cases[i].path);
        cr_expect_null(pr.journey);
        sc_project_fini(&pr);
    }
}

Test(project, files_that_name_each_other_in_a_ring_are_wrong_not_endless)
{
    struct sc_project pr = {0};
    write_file("b.yaml", "kafka: { brokers: x }\njourney: c.yaml\n");
    write_file("c.yaml", "journey: j\ntaxonomy: a.yaml\n");
    const char *a = write_file("a.yaml", "kafka: { brokers: x }\njourney: b.yaml\n");
    cr_expect_eq(sc_project_load_settings(&pr, a), SC_EXIT_CONFIG);
    cr_expect_eq(pr.files.n, 3);
    sc_project_fini(&pr);
}

Test(project, the_environment_fills_in)
{
    struct sc_project pr = {0};
    setenv("SC_TEST_BROKERS", "host:1", 1);
    const char *path = write_file("a.yaml", "kafka: { brokers: '${SC_TEST_BROKERS}' }\n"
                                            "journey: ${SC_TEST_UNSET:-" CASES "/whole.yaml}\n");
    cr_assert_eq(sc_project_load_settings(&pr, path), SC_EXIT_OK);
    cr_expect(sc_str_eqz(pr.settings->kafka.brokers.v[0], "host:1"));
    sc_project_fini(&pr);
}

/* ---- zones */

static void *ask(void *arg)
{
    const struct sc_tz *oslo = NULL;
    for (int i = 0; i < 2000; ++i) {
        char name[24];
        snprintf(name, sizeof(name), "No/Zone%d", i);
        oslo = sc_zones_find(arg, SC_STR("Europe/Oslo"));
        if (sc_zones_find(arg, sc_str_from(name)) != NULL || oslo == NULL)
            return NULL;
    }
    return (void *)(uintptr_t)oslo;
}

Test(zones, one_zone_for_all_threads_and_wrong_names_stay_wrong)
{
    struct sc_zones *z = sc_zones_create();
    pthread_t threads[4];
    for (int i = 0; i < 4; ++i)
        pthread_create(&threads[i], NULL, ask, z);
    for (int i = 0; i < 4; ++i) {
        void *got;
        pthread_join(threads[i], &got);
        cr_expect_eq(got, (const void *)sc_zones_find(z, SC_STR("Europe/Oslo")));
    }
    cr_expect_null(sc_zones_find(z, SC_STR("../etc/passwd")));
    sc_zones_destroy(z);
    sc_zones_destroy(NULL);
}

Test(zones, more_wrong_names_than_are_remembered)
{
    struct sc_zones *z = sc_zones_create();
    for (int i = 0; i < 5000; ++i) {
        char name[24];
        snprintf(name, sizeof(name), "Z%d", i);
        cr_assert_null(sc_zones_find(z, sc_str_from(name)));
    }
    cr_expect(sc_zones_find(z, SC_STR("UTC")) != NULL);
    sc_zones_destroy(z);
}
