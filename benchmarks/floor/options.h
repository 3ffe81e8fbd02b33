/*
 * What the floor client can be asked, with defaults and bounds. A wrong option ends it with code 2 and a
 * reason.
 */
#ifndef FLOOR_OPTIONS_H
#define FLOOR_OPTIONS_H

#include <arpa/inet.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "websocket.h"

enum { SOURCES_MAX = 254, EPHEMERAL_PORTS = 28000 };

struct options {
    const char *host;
    uint32_t port, connections, payload, window_us;
    uint32_t per_source; /* connections of one source address; 127.0.0.2 and so on take the others */
    double rate;         /* messages a second over all connections */
    double seconds, connect_rate;
};

static inline double option_number(const char *name, double least, double most)
{
    char *rest;
    double value = strtod(optarg, &rest);
    if (*optarg && !*rest && value >= least && value <= most)
        return value;
    fprintf(stderr, "floor client: --%s %s is not a number from %g to %g\n", name, optarg, least, most);
    exit(2);
}

/* Why the options cannot be meant together, or NULL. */
static inline const char *options_conflict(const struct options *options)
{
    struct in_addr address;
    uint32_t sources = (options->connections + options->per_source - 1) / options->per_source;
    if (!options->port)
        return "--port is needed";
    if (inet_pton(AF_INET, options->host, &address) != 1)
        return "--host must be an IPv4 address";
    if (sources > 1 && ntohl(address.s_addr) >> 24 != 127)
        return "more than --per-source connections need a --host on the loopback, for their source addresses";
    if (sources > SOURCES_MAX)
        return "too many connections for the source addresses 127.0.0.1 to 127.0.0.254";
    return NULL;
}

static inline struct options read_options(int argc, char **argv)
{
    enum { HOST = 1, PORT, CONNECTIONS, RATE, PAYLOAD, SECONDS, WINDOW_US, CONNECT_RATE, PER_SOURCE };
    static const struct option names[] = {
        {"host", 1, 0, HOST},
        {"port", 1, 0, PORT},
        {"connections", 1, 0, CONNECTIONS},
        {"rate", 1, 0, RATE},
        {"payload", 1, 0, PAYLOAD},
        {"seconds", 1, 0, SECONDS},
        {"window-us", 1, 0, WINDOW_US},
        {"connect-rate", 1, 0, CONNECT_RATE},
        {"per-source", 1, 0, PER_SOURCE},
        {0},
    };
    struct options read = {
        .host = "127.0.0.1", .connections = 100, .payload = 128, .window_us = 1000, .per_source = 25000,
        .rate = 100, .seconds = 10, .connect_rate = 4000,
    };
    for (int at, option; (option = getopt_long(argc, argv, "", names, &at)) != -1;) {
        if (option == '?')
            exit(2);
        const char *name = names[at].name;
        switch (option) {
        case HOST: read.host = optarg; break;
        case PORT: read.port = (uint32_t)option_number(name, 1, 65535); break;
        case CONNECTIONS: read.connections = (uint32_t)option_number(name, 1, 1e6); break;
        case RATE: read.rate = option_number(name, 1e-3, 1e8); break;
        case PAYLOAD: read.payload = (uint32_t)option_number(name, 0, PAYLOAD_MAX); break;
        case SECONDS: read.seconds = option_number(name, 0, 86400); break;
        case WINDOW_US: read.window_us = (uint32_t)option_number(name, 10, 1e6); break;
        case CONNECT_RATE: read.connect_rate = option_number(name, 1, 1e6); break;
        case PER_SOURCE: read.per_source = (uint32_t)option_number(name, 1, EPHEMERAL_PORTS); break;
        }
    }
    const char *conflict = optind < argc ? "it takes options only" : options_conflict(&read);
    if (!conflict)
        return read;
    fprintf(stderr, "floor client: %s\n", conflict);
    exit(2);
}

#endif
