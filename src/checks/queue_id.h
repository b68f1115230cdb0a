/*
 * queue_id: the name that a server gives to a message that it took, for whoever looks for it in a
 * log.
 *
 * Threads: pure. Ownership: none.
 */
#ifndef SMTPSCOPE_QUEUE_ID_H
#define SMTPSCOPE_QUEUE_ID_H

#include "buf.h"

#define QUEUE_ID_MAX 128

/* From the text of the reply to the final dot, without its codes. False when it names none. */
bool queue_id_find(struct span text, char out[QUEUE_ID_MAX]);

#endif
