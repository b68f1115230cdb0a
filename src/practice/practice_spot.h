/*
 * practice_spot: which server of a scenario a connection from outside is led to.
 *
 * A target is followed as the engine would follow it: by the MX records that the scenario's own
 * name servers give, to the first host that has something to connect to.
 *
 * Threads: the owner of the network. Ownership: the result points into the world.
 */
#ifndef SMTPSCOPE_PRACTICE_SPOT_H
#define SMTPSCOPE_PRACTICE_SPOT_H

#include "practice_serve.h"
#include "practice_world.h"

struct spot {
    const struct scenario_host *host;
    const struct scenario_port *port;
    struct net_address address; /* with the port */
};

/* ST_INVALID with a sentence that names what the scenario has instead; ST_NOMEM. */
enum status spot_find(struct practice *w, const struct serve_wish *wish, struct spot *out,
                      struct error *error) MUST_CHECK;

#endif
