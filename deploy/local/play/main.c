/* stagecoach-play: the subcommands, and what they share. */
#include "play.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

volatile sig_atomic_t play_interrupted;

static const char usage[] = "usage: stagecoach-play load|watch|topics [OPTION...]\n"
                            "\n"
                            "  load     play a shop's year into three source topics\n"
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

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {
        {"load", play_main_load}, {"watch", play_main_watch}, {"topics", play_main_topics}};
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
