/* The one call to the schema registry that a producer needs: register, or find registered. */
#include "play.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct answer {
    char text[16 * 1024];
    size_t bytes;
};

static size_t collect(char *data, size_t size, size_t n, void *opaque)
{
    struct answer *an = opaque;
    if (size * n >= sizeof(an->text) - an->bytes)
        return 0; /* curl reports it as a write error */
    memcpy(an->text + an->bytes, data, size * n);
    an->bytes += size * n;
    return size * n;
}

/* POST `body`; the status, or 0 with the cause in `why`. */
static long post(const char *url, const char *body, struct answer *an, char why[CURL_ERROR_SIZE])
{
    long status = 0;
    CURL *curl = curl_easy_init();
    if (!curl)
        return 0;
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/vnd.schemaregistry.v1+json");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, an);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return status;
}

int play_registry_register(const char *base, const char *subject, const char *type,
                           const char *schema)
{
    char url[2048], why[CURL_ERROR_SIZE] = "";
    struct answer an = {.bytes = 0};
    snprintf(url, sizeof(url), "%s/subjects/%s/versions", base, subject);
    json_t *request = json_pack("{s:s, s:s}", "schemaType", type, "schema", schema);
    char *body = request ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    if (!body) {
        fprintf(stderr, "stagecoach-play: the schema of %s is not UTF-8\n", subject);
        return -1;
    }
    long status = post(url, body, &an, why);
    free(body);
    json_t *answer = json_loadb(an.text, an.bytes, 0, NULL);
    json_int_t id = json_integer_value(json_object_get(answer, "id"));
    json_decref(answer);
    if (status == 200 && id > 0)
        return (int)id;
    fprintf(stderr, "stagecoach-play: %s does not take the schema of %s: %ld %s%.*s\n", base,
            subject, status, why, (int)an.bytes, an.text);
    return -1;
}
