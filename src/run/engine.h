/*
 * engine: the thread that runs the checks, and the two queues around it.
 *
 * Commands go in, events come out (event.h), the cancel token cuts through. Nothing else is shared.
 * After the steps the engine keeps the connection open where the plan says so, reads what the
 * server says by itself, and takes typed lines and single steps.
 *
 * Threads: all functions are called by the face's thread. Ownership: the engine owns the network
 * that it was given, its threads and its queues; engine_free cancels, says QUIT where lawful, joins
 * and frees.
 */
#ifndef SMTPSCOPE_ENGINE_H
#define SMTPSCOPE_ENGINE_H

#include "event.h"

#define ENGINE_QUEUE_BYTES (8u << 20)

struct engine; /* opaque, heap */

/* On failure the network stays the caller's. */
enum status engine_new(struct engine **out, struct network *net, struct error *error) MUST_CHECK;
/* Polite end; waits for the QUIT at most some seconds, then cuts. Drains nothing: call it last. */
void engine_free(struct engine *e);

/* Where the events come from: poll engine_fd for reading, then engine_events. */
int engine_fd(const struct engine *e);
struct event *engine_events(struct engine *e, size_t max); /* a chain through item.next, or NULL */

/* Starts a run of the plan's safe checks (and of those with consent in it). The plan is copied.
   Returns the generation that its events will carry; 0 on no memory. A run under way is cancelled
   first. */
uint32_t engine_start(struct engine *e, const struct plan *plan);
/* The generation of the latest run; 0 before the first. */
uint32_t engine_generation(const struct engine *e);
/*
 * One step again, on the connection as it is (reconnecting where needed, and running first what it
 * rests on). Steps with risk take what `plan` carries: relay_consent, send_consent, auth_*,
 * password, from, to, subject; the rest of it is ignored, and the consent is for this once. NULL:
 * no consent.
 */
enum status engine_step(struct engine *e, enum check_id check, const struct plan *plan) MUST_CHECK;
/* Several steps like that, in their order, on one connection: the bits of `mask`. */
enum status engine_steps(struct engine *e, uint64_t mask, const struct plan *plan) MUST_CHECK;
/* The safe steps that are still to do. */
enum status engine_continue(struct engine *e) MUST_CHECK;
/* Pause after the step that is running; again: go on. */
void engine_pause(struct engine *e, bool paused);
/* One line for the live connection, as typed, without line end. ST_LIMIT over SMTP_RAW_MAX, or when
   more was typed than is taken. */
enum status engine_type(struct engine *e, const char *line, size_t len) MUST_CHECK;
/*
 * Connects and greets, for typing before any step, or reconnects. Where there is no run yet, or one
 * for another target, this is a new run (engine_generation tells) that only finds the server,
 * connects and reads the greeting. Otherwise the connection of the present run is opened again;
 * NULL means that as well.
 */
enum status engine_open(struct engine *e, const struct plan *plan) MUST_CHECK;
void engine_cancel(struct engine *e, enum cancel_level level);
/* The process was stopped for that long (SIGCONT): recorded, and waits are prolonged. */
void engine_suspended(struct engine *e, int64_t us);

#endif
