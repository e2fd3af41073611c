/* tests/cases/taxonomy: each .yaml is loaded and its examples are run; what the user would read
 * must be, to the byte, the .err beside it (none: no finding). SC_UPDATE=1 writes the .err files.
 */
#include "fixture.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CASES SC_TEST_DIR "/cases/taxonomy"

static struct sc_str slurp(struct sc_arena *ar, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return SC_STR("");
    char *p = sc_arena_zalloc(ar, 1 << 16);
    size_t n = fread(p, 1, 1 << 16, f);
    fclose(f);
    return (struct sc_str){p, n};
}

static void findings(struct sc_arena *ar, struct sc_str name, struct sc_str yaml,
                     struct sc_buf *out)
{
    struct sc_diag dg;
    struct sc_taxonomy tx = {0};
    sc_diag_init(&dg, ar);
    struct sc_node *doc = sc_node_parse(name, yaml, NULL, NULL, ar, &dg);
    bool loaded = doc != NULL && sc_taxonomy_load(&tx, doc, ar, &dg);
    cr_expect_eq(loaded, dg.errors == 0, "%.*s: result and findings differ", SC_STR_FMT(name));
    if (loaded)
        sc_taxonomy_check_examples(&tx, ar, &dg);
    sc_diag_render(&dg, SC_DIAG_TEXT, false, out);
    sc_taxonomy_fini(&tx);
}

static void run_case(struct sc_arena *ar, struct sc_str name)
{
    struct sc_str yaml_path = sc_str_printf(ar, CASES "/%.*s", SC_STR_FMT(name));
    struct sc_str err_path = sc_str_printf(ar, "%.*s.err", (int)yaml_path.len - 5, yaml_path.p);
    struct sc_buf out = {0};
    findings(ar, name, slurp(ar, yaml_path.p), &out);
    struct sc_str seen = sc_buf_view(&out), wanted = slurp(ar, err_path.p);
    bool same = sc_str_eq(seen, wanted);
    if (!same && getenv("SC_UPDATE") != NULL) {
        FILE *f = fopen(err_path.p, "wb");
        fwrite(seen.p, 1, seen.len, f);
        fclose(f);
    } else {
        cr_expect(same, "%.*s\n--- wanted\n%.*s\n--- seen\n%.*s", SC_STR_FMT(name),
                  SC_STR_FMT(wanted), SC_STR_FMT(seen));
    }
    sc_buf_fini(&out);
}

Test(taxonomy_cases, all)
{
    DIR *dir = opendir(CASES);
    cr_assert_not_null(dir, "no folder " CASES);
    unsigned n = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        struct sc_arena ar;
        sc_arena_init(&ar);
        struct sc_str name = sc_str_dup(&ar, sc_str_from(e->d_name));
        if (sc_str_ends(name, SC_STR(".yaml"))) {
            run_case(&ar, name);
            n++;
        }
        sc_arena_fini(&ar);
    }
    closedir(dir);
    cr_expect_geq(n, 15, "only %u cases found", n);
}
