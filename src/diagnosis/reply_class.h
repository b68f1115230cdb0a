/*
 * reply_class: what a refusal is about, read from its code, its enhanced code (RFC 3463) and its
 * words.
 *
 * One table decides, first match wins: what the words say plainly, then the enhanced code, then the
 * code. Servers reuse codes freely, so the words come first. Mail addresses in the text are left
 * out, because local parts may read like refusals ("user-unknown@example.com").
 *
 * Threads: pure. Ownership: none.
 */
#ifndef SMTPSCOPE_REPLY_CLASS_H
#define SMTPSCOPE_REPLY_CLASS_H

#include "finding.h"

#define REPLY_CLASS_TEXT_MAX 2048 /* of the text that is looked at; the gist stands in front */

/*
 * code: 400..599, others give CLASS_NONE. enhanced: "5.7.1", "" or NULL when the reply has none.
 * text: all lines, with or without their codes.
 */
enum reply_class reply_classify(int code, const char *enhanced, struct span text);

/* Who can change what this class names; WHO_NOBODY when the class alone does not say. */
enum who reply_class_who(enum reply_class class);
/* True when the refusal speaks of the sending host (its address, name or conduct), not of a
 * mailbox. */
bool reply_class_about_client(enum reply_class class);

#endif
