/*
 * engine: the thread that runs the checks, and the two queues around it.
 *
 * Commands go in, events come out (event.h), the cancel token cuts through. Nothing else is shared.
 * After the steps the engine keeps the connection open where the plan says so, reads what the
 * server says by itself, and takes typed lines and single steps.
 *
 * What is typed changes the facts of the path (capabilities, TLS, login), and its answers are judged
 * like those of the steps: such findings carry `typed` and belong to the step that would have asked
 * the same. They never change a step's verdict; the record keeps them until that step begins anew,
 * or the same is found again. A recipient elsewhere that is accepted says nothing about relaying.
 *
 * Threads: all functions are called by the face's thread. Ownership: the engine owns the network
 * that it was given, its threads and its queues; engine_free cancels, says QUIT where lawful, joins
 * and frees.
 */
#ifndef SMTPSCOPE_ENGINE_H
#define SMTPSCOPE_ENGINE_H

#include "event.h"
#include "script.h"

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
 * password, from, to, subject, and what the test mail is made of; the rest of it is ignored, and the
 * consent is for this once. NULL: no consent.
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
 * "BDAT n [LAST]" (RFC 3030) with the octets that belong to it, in one write. A BDAT that was typed
 * alone takes the lines that are typed next for its octets, until there are enough of them
 * (EVENT_SESSION then says expects_text). ST_LIMIT over ENGINE_CHUNK_MAX.
 */
#define ENGINE_CHUNK_MAX (1u << 19)
enum status engine_type_chunk(struct engine *e, const char *line, size_t len, const char *data,
                              size_t data_len) MUST_CHECK;
/*
 * Exact bytes for the live connection, see smtp_raw; raw_text.h reads the notation that people
 * type. They need no consent beyond being typed, and --read-only, which is about steps, does not
 * forbid them. Nothing waits for the replies: they are told as they come. ENGINE_RAW_HIDDEN: none
 * of the bytes may be told (what begins with AUTH, or follows a 334, is hidden without it).
 */
#define ENGINE_RAW_HIDDEN SMTP_RAW_HIDDEN
enum status engine_raw(struct engine *e, const char *bytes, size_t len, unsigned flags) MUST_CHECK;
/* A TLS handshake now, after a STARTTLS in raw mode or without any. */
enum status engine_handshake(struct engine *e) MUST_CHECK;
/* Ends our direction of the connection; what the server still says is read and told. */
enum status engine_half_close(struct engine *e) MUST_CHECK;
/*
 * As engine_open, but reads no greeting: one that comes is told, and raw bytes may go out before it.
 * The step that reads the greeting is then still to do.
 */
enum status engine_connect(struct engine *e, const struct plan *plan) MUST_CHECK;
/*
 * Plays a script on a new connection to the server of the present run, or, where there is no run,
 * or one for another target, of a new one that is made as by engine_open. EVENT_REPLAY tells of each
 * step and of each stop, EVENT_RUN_DONE that nothing is played any more (where a run had to be made,
 * its own EVENT_RUN_DONE comes before). step_by_step: stops before
 * each step. The script is copied. A line that was hidden stops it: what is typed next
 * (engine_type) takes its place. Asking for consent is the caller's business (script_needs); where
 * the plan holds a login (auth_wanted), hidden logins are made with it.
 */
enum status engine_replay(struct engine *e, const struct plan *plan, const struct script *script,
                          bool step_by_step) MUST_CHECK;
/* After a stop: the next step alone, or all that are left. The reply that was not expected is taken
   as it is. */
enum status engine_replay_go(struct engine *e, bool one_step) MUST_CHECK;
/* Forgets the script; the connection stays. engine_cancel while it plays does the same. */
enum status engine_replay_stop(struct engine *e) MUST_CHECK;
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
