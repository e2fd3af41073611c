#include "registry/registry.h"
#include "server.h"

#include "base/arena.h"
#include "base/log.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct sc_arena arena;
static struct server server;
static struct sc_registry *rs;
static char dir[64];

static void setup(void)
{
    sc_arena_init(&arena);
    sc_log_setup(SC_LOG_ERROR, SC_LOG_LOGFMT);
    strcpy(dir, "/tmp/sc-registry-XXXXXX");
    cr_assert(mkdtemp(dir));
}

static void teardown(void)
{
    char command[128];
    sc_registry_destroy(rs);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    cr_assert_eq(system(command), 0);
    sc_arena_fini(&arena);
}
TestSuite(registry, .init = setup, .fini = teardown, .timeout = 60);

static void open_registry(struct sc_registry_options options)
{
    char why[SC_REGISTRY_WHY] = "";
    if (options.url.len == 0)
        options.url = sc_str_printf(&arena, "http://127.0.0.1:%d/apis/ccompat/v7/", server.port);
    if (options.timeout_ms == 0)
        options.timeout_ms = 2000;
    sc_registry_destroy(rs);
    rs = NULL;
    cr_assert_eq(sc_registry_create(&options, &rs, why), SC_ERR_OK, "%s", why);
}

#define PREFIX "/apis/ccompat/v7"

static const struct answer answers[] = {
    {PREFIX "/schemas/ids/1", 200, "{\"schema\":\"\\\"string\\\"\"}"},
    {PREFIX "/schemas/ids/2", 200,
     "{\"schemaType\":\"PROTOBUF\",\"schema\":\"message A { b.B b = 1; }\",\"references\":["
     "{\"name\":\"b.proto\",\"subject\":\"b/x\",\"version\":3},"
     "{\"name\":\"c.proto\",\"subject\":\"c\",\"version\":1}]}"},
    {PREFIX "/subjects/b%2Fx/versions/3", 200,
     "{\"subject\":\"b/x\",\"id\":9,\"version\":3,\"schemaType\":\"PROTOBUF\",\"schema\":\"b text\","
     "\"references\":[{\"name\":\"c.proto\",\"subject\":\"c\",\"version\":1}]}"},
    {PREFIX "/subjects/c/versions/1", 200, "{\"id\":10,\"schema\":\"c text\",\"references\":["
     "{\"name\":\"b.proto\",\"subject\":\"b/x\",\"version\":3}]}"},
    {PREFIX "/schemas/ids/3", 200, "{\"schemaType\":\"JSON\",\"schema\":\"{}\"}"},
    {PREFIX "/schemas/ids/4", 404, "{\"error_code\":40403,\"message\":\"Schema not found\"}"},
    {PREFIX "/schemas/ids/5", 404, "<html>nothing here</html>"},
    {PREFIX "/schemas/ids/6", 500, "{\"error_code\":50001,\"message\":\"backend\"}"},
    {PREFIX "/schemas/ids/7", 401, ""},
    {PREFIX "/schemas/ids/8", 403, ""},
    {PREFIX "/schemas/ids/9", 0, NULL},
    {PREFIX "/schemas/ids/10", -1, NULL},
    {PREFIX "/schemas/ids/11", -2, "{\"schema\":"},
    {PREFIX "/schemas/ids/12", 200, "<html>log in</html>"},
    {PREFIX "/schemas/ids/13", 200, "{\"schemaType\":\"XML\",\"schema\":\"x\"}"},
    {PREFIX "/schemas/ids/14", 200, "{\"schemaType\":\"AVRO\"}"},
    {PREFIX "/schemas/ids/15", 302, ""},
    {PREFIX "/schemas/ids/16", 429, ""},
    {PREFIX "/schemas/ids/17", 200, "{\"schema\":\"x\",\"references\":[{\"name\":\"gone\","
                                    "\"subject\":\"gone\",\"version\":1}]}"},
    {PREFIX "/subjects/gone/versions/1", 404, "{\"error_code\":40401,\"message\":\"no\"}"},
    {PREFIX "/subjects/shop.clicks-value/versions", 200, "{\"id\":21}"},
    {PREFIX "/compatibility/subjects/shop.clicks-value/versions/latest", 200,
     "{\"is_compatible\":true}"},
    {PREFIX "/compatibility/subjects/clash/versions/latest", 200, "{\"is_compatible\":false}"},
    {PREFIX "/compatibility/subjects/new/versions/latest", 404,
     "{\"error_code\":40401,\"message\":\"no\"}"},
    {PREFIX "/subjects/clash/versions", 409, "{\"error_code\":409,\"message\":\"incompatible\"}"},
    {PREFIX "/subjects/bad/versions", 422, "{\"error_code\":42201,\"message\":\"bad\"}"},
    {PREFIX "/subjects/odd/versions", 200, "{}"},
    {PREFIX "/subjects/shop.clicks-value/versions/latest", 200,
     "{\"subject\":\"shop.clicks-value\",\"id\":21,\"version\":4,\"schema\":\"\\\"long\\\"\"}"},
    {NULL, 0, NULL}};

static const char *text(struct sc_str s)
{
    return sc_str_dup(&arena, s).p;
}

Test(registry, schemas_by_id)
{
    struct sc_schema_text schema;
    server_start(&server, answers);
    open_registry((struct sc_registry_options){0});
    cr_assert_eq(sc_registry_schema(rs, 1, &arena, &schema), SC_ERR_OK);
    cr_expect_eq(schema.type, SC_FORMAT_AVRO);
    cr_expect_str_eq(text(schema.text), "\"string\"");
    cr_expect_eq(schema.n_refs, 0);
    cr_assert_eq(sc_registry_schema(rs, 3, &arena, &schema), SC_ERR_OK);
    cr_expect_eq(schema.type, SC_FORMAT_JSON);
    server_stop(&server);
}

Test(registry, references_come_whole_each_once)
{
    struct sc_schema_text schema;
    server_start(&server, answers);
    open_registry((struct sc_registry_options){0});
    cr_assert_eq(sc_registry_schema(rs, 2, &arena, &schema), SC_ERR_OK);
    cr_expect_eq(schema.type, SC_FORMAT_PROTOBUF);
    cr_assert_eq(schema.n_refs, 2);
    cr_expect_str_eq(text(schema.refs[0].name), "c.proto");
    cr_expect_str_eq(text(schema.refs[0].text), "c text");
    cr_expect_str_eq(text(schema.refs[1].name), "b.proto");
    cr_expect_str_eq(text(schema.refs[1].text), "b text");
    cr_expect_eq(server.requests, 3);
    server_stop(&server);
}

Test(registry, an_id_is_asked_for_once)
{
    struct sc_schema_text schema;
    server_start(&server, answers);
    open_registry((struct sc_registry_options){0});
    for (int i = 0; i < 3; i++)
        cr_assert_eq(sc_registry_schema(rs, 1, &arena, &schema), SC_ERR_OK);
    cr_expect_eq(server.requests, 1);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(sc_registry_schema(rs, 4, &arena, &schema), SC_ERR_NOT_FOUND);
    cr_expect_eq(server.requests, 2, "an unknown id is asked for again only later");
    for (int i = 0; i < 2; i++)
        cr_assert_eq(sc_registry_schema(rs, 6, &arena, &schema), SC_ERR_UNAVAILABLE);
    cr_expect_eq(server.requests, 4, "what may pass is tried each time");
    server_stop(&server);
}

struct waiter {
    pthread_t thread;
    enum sc_err err;
};

static void *wait_for(void *arg)
{
    struct waiter *w = arg;
    struct sc_arena ar;
    struct sc_schema_text schema;
    sc_arena_init(&ar);
    w->err = sc_registry_schema(rs, 1, &ar, &schema);
    sc_arena_fini(&ar);
    return NULL;
}

Test(registry, many_waiters_cost_one_request)
{
    struct waiter waiters[8];
    server_start(&server, answers);
    open_registry((struct sc_registry_options){0});
    for (int i = 0; i < 8; i++)
        cr_assert_eq(pthread_create(&waiters[i].thread, NULL, wait_for, &waiters[i]), 0);
    for (int i = 0; i < 8; i++) {
        pthread_join(waiters[i].thread, NULL);
        cr_expect_eq(waiters[i].err, SC_ERR_OK);
    }
    cr_expect_eq(server.requests, 1);
    server_stop(&server);
}

Test(registry, faults_are_told_apart)
{
    static const struct {
        uint32_t id;
        enum sc_err err;
        const char *why;
    } cases[] = {
        {5, SC_ERR_CONFIG, "is the path in the URL right?"},
        {6, SC_ERR_UNAVAILABLE, "not able to answer now"},
        {7, SC_ERR_AUTH, "refuses the login (401)"},
        {8, SC_ERR_AUTH, "forbids"},
        {9, SC_ERR_UNAVAILABLE, "127.0.0.1"},
        {10, SC_ERR_TIMEOUT, "timed out"},
        {11, SC_ERR_UNAVAILABLE, "127.0.0.1"},
        {12, SC_ERR_CORRUPT, "not a registry's"},
        {13, SC_ERR_CORRUPT, "no schema of a known type"},
        {14, SC_ERR_CORRUPT, "no schema of a known type"},
        {15, SC_ERR_CONFIG, "redirects"},
        {16, SC_ERR_UNAVAILABLE, "not able to answer now"},
        {17, SC_ERR_CORRUPT, "refers to one that is not there"},
    };
    server_start(&server, answers);
    open_registry((struct sc_registry_options){.timeout_ms = 300});
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sc_schema_text schema;
        char why[SC_REGISTRY_WHY];
        enum sc_err e = sc_registry_schema(rs, cases[i].id, &arena, &schema);
        sc_registry_why(rs, why);
        cr_expect_eq(e, cases[i].err, "id %u: %s, %s", cases[i].id, sc_err_name(e), why);
        cr_expect(strstr(why, cases[i].why), "id %u: %s", cases[i].id, why);
    }
    server_stop(&server);
}

Test(registry, a_registry_that_is_down_may_come_back)
{
    struct sc_schema_text schema;
    server_start(&server, answers);
    open_registry((struct sc_registry_options){.timeout_ms = 300});
    server_stop(&server);
    enum sc_err e = sc_registry_schema(rs, 1, &arena, &schema);
    cr_expect_eq(e, SC_ERR_UNAVAILABLE, "%s", sc_err_name(e));
    cr_expect(sc_err_retriable(e));
    server_start(&server, answers);
    open_registry((struct sc_registry_options){0});
    cr_expect_eq(sc_registry_schema(rs, 1, &arena, &schema), SC_ERR_OK);
    server_stop(&server);
}

Test(registry, login_goes_out_and_into_no_message)
{
    struct sc_schema_text schema;
    char why[SC_REGISTRY_WHY];
    server_start(&server, answers);
    open_registry((struct sc_registry_options){.user = SC_STR("reg"), .password = SC_STR("s3cret")});
    cr_expect_eq(sc_registry_schema(rs, 7, &arena, &schema), SC_ERR_AUTH);
    cr_expect(strstr(server.last, "Authorization: Basic cmVnOnMzY3JldA=="), "%s", server.last);
    sc_registry_why(rs, why);
    cr_expect_null(strstr(why, "s3cret"));
    open_registry((struct sc_registry_options){.token = SC_STR("t0ken")});
    cr_expect_eq(sc_registry_schema(rs, 1, &arena, &schema), SC_ERR_OK);
    cr_expect(strstr(server.last, "Authorization: Bearer t0ken"), "%s", server.last);
    server_stop(&server);
}

Test(registry, settings_that_cannot_be)
{
    static const struct {
        struct sc_registry_options options;
        const char *why;
    } cases[] = {
        {{.url = {"ftp://h/", 8}}, "neither http:// nor https://"},
        {{.url = {"http://", 7}}, "no host"},
        {{.url = {"http:///v7", 10}}, "no host"},
        {{.url = {"http://u:p@h:1/", 15}}, "username and password_file"},
        {{.url = {"http://h/?x=1", 13}}, "query"},
        {{.url = {"http://h", 8}, .user = {"u", 1}, .token = {"t", 1}}, "one of the two"},
        {{.url = {"http://h", 8}, .cache_dir = {"/proc/nowhere/x", 15}}, "cannot be made"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char why[SC_REGISTRY_WHY] = "";
        struct sc_registry *none = NULL;
        cr_expect_eq(sc_registry_create(&cases[i].options, &none, why), SC_ERR_CONFIG);
        cr_expect(strstr(why, cases[i].why), "case %zu: %s", i, why);
        cr_expect_null(none);
    }
}

static const char *cached_file(void)
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    const char *name = NULL;
    while ((e = readdir(d)) != NULL)
        if (e->d_name[0] != '.')
            name = sc_arena_printf(&arena, "%s/%s", dir, e->d_name);
    closedir(d);
    cr_assert(name, "nothing was kept on disk");
    return name;
}

Test(registry, the_disk_serves_a_start_without_a_registry)
{
    struct sc_schema_text schema;
    struct sc_registry_options options = {.cache_dir = sc_str_from(dir), .timeout_ms = 300};
    server_start(&server, answers);
    options.url = sc_str_printf(&arena, "http://127.0.0.1:%d" PREFIX, server.port);
    open_registry(options);
    cr_assert_eq(sc_registry_schema(rs, 2, &arena, &schema), SC_ERR_OK);
    server_stop(&server);
    open_registry(options);
    cr_assert_eq(sc_registry_schema(rs, 2, &arena, &schema), SC_ERR_OK);
    cr_expect_eq(schema.type, SC_FORMAT_PROTOBUF);
    cr_expect_str_eq(text(schema.text), "message A { b.B b = 1; }");
    cr_assert_eq(schema.n_refs, 2);
    cr_expect_str_eq(text(schema.refs[1].text), "b text");
    cr_expect_eq(sc_registry_schema(rs, 1, &arena, &schema), SC_ERR_UNAVAILABLE);
    options.url = SC_STR("http://127.0.0.1:9/other"); /* another registry's ids are other schemas */
    open_registry(options);
    cr_expect_eq(sc_registry_schema(rs, 2, &arena, &schema), SC_ERR_UNAVAILABLE);
}

Test(registry, damaged_files_are_fetched_again)
{
    struct sc_schema_text schema;
    struct sc_registry_options options = {.cache_dir = sc_str_from(dir)};
    server_start(&server, answers);
    for (int how = 0; how < 3; how++) {
        open_registry(options);
        cr_assert_eq(sc_registry_schema(rs, 1, &arena, &schema), SC_ERR_OK);
        cr_expect_eq(server.requests, how + 1);
        FILE *f = fopen(cached_file(), how == 0 ? "r+" : how == 1 ? "w" : "a");
        cr_assert(f);
        cr_assert_eq(fseek(f, how == 0 ? 40 : 0, SEEK_SET), 0);
        cr_assert_gt(fprintf(f, "!"), 0);
        fclose(f);
    }
    open_registry(options);
    cr_assert_eq(sc_registry_schema(rs, 1, &arena, &schema), SC_ERR_OK);
    cr_expect_eq(server.requests, 4);
    open_registry(options);
    cr_assert_eq(sc_registry_schema(rs, 1, &arena, &schema), SC_ERR_OK);
    cr_expect_eq(server.requests, 4);
    server_stop(&server);
}

static enum sc_err put(const char *subject, uint32_t *id)
{
    struct sc_schema_text schema = {.type = SC_FORMAT_PROTOBUF, .text = SC_STR("message \"A\" {}")};
    return sc_registry_register(rs, sc_str_from(subject), &schema, id);
}

Test(registry, registers)
{
    uint32_t id = 0;
    server_start(&server, answers);
    open_registry((struct sc_registry_options){0});
    cr_assert_eq(put("shop.clicks-value", &id), SC_ERR_OK);
    cr_expect_eq(id, 21);
    cr_expect(strstr(server.last, "POST " PREFIX "/subjects/shop.clicks-value/versions HTTP"));
    cr_expect(strstr(server.last, "{\"schemaType\":\"PROTOBUF\",\"schema\":\"message \\\"A\\\" {}\"}"));
    cr_expect_eq(put("clash", &id), SC_ERR_CONFLICT);
    cr_expect_eq(put("bad", &id), SC_ERR_INVALID);
    cr_expect_eq(put("odd", &id), SC_ERR_CORRUPT);
    server_stop(&server);
}

Test(registry, the_latest_version_of_a_subject)
{
    struct sc_schema_text schema;
    uint32_t id = 0;
    server_start(&server, answers);
    open_registry((struct sc_registry_options){0});
    enum sc_err e = sc_registry_latest(rs, SC_STR("shop.clicks-value"), &arena, &schema, &id);
    cr_assert_eq(e, SC_ERR_OK);
    cr_expect_eq(id, 21);
    cr_expect_str_eq(text(schema.text), "\"long\"");
    cr_expect_eq(sc_registry_latest(rs, SC_STR("none"), &arena, &schema, &id), SC_ERR_NOT_FOUND);
    server_stop(&server);
}

Test(registry, the_port_is_the_client)
{
    struct sc_schema_text schema;
    uint32_t id = 0;
    server_start(&server, answers);
    open_registry((struct sc_registry_options){0});
    struct sc_schemas *port = sc_registry_port(rs);
    cr_expect_eq(port->ops->get(port, 1, &arena, &schema), SC_ERR_OK);
    cr_expect_str_eq(text(schema.text), "\"string\"");
    cr_expect_eq(port->ops->put(port, SC_STR("shop.clicks-value"), SC_FORMAT_AVRO,
                                SC_STR("\"long\""), &id), SC_ERR_OK);
    cr_expect_eq(id, 21);
    server_stop(&server);
}

Test(registry, answers_are_bounded)
{
    char *huge = malloc(5 << 20);
    cr_assert(huge);
    memset(huge, ' ', (5 << 20) - 1);
    huge[(5 << 20) - 1] = '\0';
    struct answer big[] = {{PREFIX "/schemas/ids/1", 200, huge}, {NULL, 0, NULL}};
    struct sc_schema_text schema;
    signal(SIGPIPE, SIG_IGN);
    server_start(&server, big);
    open_registry((struct sc_registry_options){0});
    cr_expect_eq(sc_registry_schema(rs, 1, &arena, &schema), SC_ERR_TOO_LARGE);
    server_stop(&server);
    free(huge);
}

Test(registry, compatible_with_the_subject)
{
    const struct sc_schema_text schema = {.type = SC_FORMAT_AVRO, .text = SC_STR("\"string\"")};
    bool yes = false;
    server_start(&server, answers);
    open_registry((struct sc_registry_options){.quiet = true});
    cr_expect_eq(sc_registry_compatible(rs, SC_STR("shop.clicks-value"), &schema, &yes), SC_ERR_OK);
    cr_expect(yes);
    cr_expect_eq(sc_registry_compatible(rs, SC_STR("clash"), &schema, &yes), SC_ERR_OK);
    cr_expect_not(yes);
    cr_expect_eq(sc_registry_compatible(rs, SC_STR("new"), &schema, &yes), SC_ERR_NOT_FOUND);
    server_stop(&server);
}
