/* test_groups BROKERS PREFIX…: the consumer groups whose names begin so, each with its state and the
 * ids of its members: what must be the same before and after somebody only looks. */
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ASK_MS 10000

static bool is_asked_for(const char *group, char **prefixes, int n)
{
    for (int i = 0; i < n; i++)
        if (strncmp(group, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    const struct rd_kafka_group_list *list;
    char why[512];
    if (argc < 3)
        return 64;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], why, sizeof(why)) != RD_KAFKA_CONF_OK)
        return 64;
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    rd_kafka_resp_err_t e = rk ? rd_kafka_list_groups(rk, NULL, &list, ASK_MS) : RD_KAFKA_RESP_ERR__FAIL;
    if (e) {
        fprintf(stderr, "test_groups: %s\n", rd_kafka_err2str(e));
        return 69;
    }
    for (int i = 0; i < list->group_cnt; i++) {
        const struct rd_kafka_group_info *g = &list->groups[i];
        if (!is_asked_for(g->group, argv + 2, argc - 2))
            continue;
        printf("%s %s\n", g->group, g->state);
        for (int m = 0; m < g->member_cnt; m++)
            printf("%s member %s\n", g->group, g->members[m].member_id);
    }
    rd_kafka_group_list_destroy(list);
    rd_kafka_destroy(rk);
    return 0;
}
