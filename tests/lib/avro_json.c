/* test_avro_json SCHEMA.avsc: framed Avro values on standard input, as `kcat -f '%R%s'` writes them (four
 * bytes of length, then the value), become JSON lines by Avro C: an independent reader. Exit status 1 on
 * a value without framing, one that does not follow the schema, or one with bytes left. */
#include <arpa/inet.h>
#include <avro.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define SCHEMA_MAX (1u << 20)
#define VALUE_MAX (4u << 20)
#define FRAME 5

static int wrong(const char *what)
{
    fprintf(stderr, "test_avro_json: %s: %s\n", what, avro_strerror());
    return 1;
}

static int print(avro_value_t *value, const char *bytes, size_t n)
{
    char *json = NULL;
    if (n < FRAME || bytes[0] != 0)
        return wrong("a value without the registry's framing");
    avro_reader_t in = avro_reader_memory(bytes + FRAME, (int64_t)(n - FRAME));
    char more;
    int bad = avro_value_read(in, value);
    bool rest = !bad && avro_read(in, &more, 1) == 0;
    avro_reader_free(in);
    if (bad || rest)
        return wrong(rest ? "bytes are left" : "not of the schema");
    if (avro_value_to_json(value, 1, &json))
        return wrong("no JSON");
    printf("%s\n", json);
    free(json);
    return 0;
}

int main(int argc, char **argv)
{
    static char schema_text[SCHEMA_MAX], bytes[VALUE_MAX];
    avro_schema_t schema;
    avro_value_t value;
    uint32_t n;
    FILE *f = argc == 2 ? fopen(argv[1], "rbe") : NULL;
    if (f == NULL) {
        fprintf(stderr, "usage: test_avro_json SCHEMA.avsc <VALUES\n");
        return 64;
    }
    size_t len = fread(schema_text, 1, sizeof(schema_text), f);
    fclose(f);
    if (avro_schema_from_json_length(schema_text, len, &schema))
        return wrong("the schema");
    avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
    avro_generic_value_new(iface, &value);
    int rc = 0;
    while (rc == 0 && fread(&n, sizeof(n), 1, stdin) == 1) {
        n = ntohl(n);
        rc = n > sizeof(bytes) || fread(bytes, 1, n, stdin) != n ? wrong("input") :
             print(&value, bytes, n);
        avro_value_reset(&value);
    }
    avro_value_decref(&value);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
    return rc;
}
