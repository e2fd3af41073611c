/* stagecoach-play: the subcommands, and what they share. */
#include "play.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

volatile sig_atomic_t play_interrupted;

static const char usage[] =
    "usage: stagecoach-play load|events|watch|topics [OPTION...]\n"
    "\n"
    "  load     play a shop's year into three source topics\n"
    "  events   the same year as canonical events, for `stagecoach simulate`\n"
    "  watch    print what comes out of topics\n"
    "  topics   create topics\n"
    "\n"
    "stagecoach-play COMMAND --help says more.\n";

static void interrupt(int signal)
{
    (void)signal;
    play_interrupted = 1;
}

rd_kafka_conf_t *play_kafka_conf(const char *brokers)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof(why)) !=
        RD_KAFKA_CONF_OK) {
        fprintf(stderr, "stagecoach-play: --brokers: %s\n", why);
        exit(64);
    }
    /* Errors only: a broker that is still loading is waited for, and nobody need read of it. */
    rd_kafka_conf_set(conf, "log_level", "3", why, sizeof(why));
    return conf;
}

int64_t play_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

const char *play_time(int64_t at_ms, char out[PLAY_TIME_BYTES])
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm tm;
    size_t n = strftime(out, PLAY_TIME_BYTES, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
    if (at_ms % 1000)
        snprintf(out + n, PLAY_TIME_BYTES - n, ".%03dZ", (int)(at_ms % 1000));
    else
        snprintf(out + n, PLAY_TIME_BYTES - n, "Z");
    return out;
}

struct play *play_create(const char *dir)
{
    struct play *pl = sc_calloc(1, sizeof(*pl));
    sc_arena_init(&pl->ar);
    if (!play_data_read(pl, dir)) {
        play_destroy(pl);
        return NULL;
    }
    play_story_tell(pl);
    return pl;
}

void play_destroy(struct play *pl)
{
    sc_arena_fini(&pl->ar);
    free(pl->events);
    free(pl->clicks);
    free(pl);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {{"load", play_main_load},
                    {"events", play_main_events},
                    {"watch", play_main_watch},
                    {"topics", play_main_topics}};
    struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fputs(usage, stderr);
    return 64;
}
