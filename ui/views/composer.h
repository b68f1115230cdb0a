/*
 * composer: the message that is written by hand: its text beside what becomes of it on the wire,
 * the envelope with the parameters that the server offers, and the consent before it goes out.
 *
 * The text is kept as a draft when the box closes, until it was sent.
 *
 * Threads: the face's. Ownership: struct composer lives in struct hand; composer_free.
 */
#ifndef SMTPSCOPE_COMPOSER_H
#define SMTPSCOPE_COMPOSER_H

#include "envelope.h"
#include "textarea.h"
#include "transaction.h"

struct app;
struct canvas;
struct dialog;
struct buf;

#define COMPOSER_VALUE_MAX 512 /* of a parameter */

struct composer {
    struct textarea text;
    bool written;      /* there is a draft */
    int view;          /* 0: what fits; 1: the wire form alone; 2: the text alone, where both fit */
    bool both;         /* as drawn last: text and wire form fit beside each other */
    int button;        /* that has the focus; -1: the text has it */
    int page;          /* rows of text that are shown */
    bool own_envelope; /* MAIL and RCPT are part of it; else they were said before */
    char from[TRANSACTION_ADDRESS_MAX], to[TRANSACTION_ADDRESS_MAX];
    char params[PARAM_COUNT][COMPOSER_VALUE_MAX]; /* values; "" leaves it out */
    bool flags[PARAM_COUNT];                      /* of those without a value, and of SIZE */
    bool bdat;                                    /* in chunks instead of DATA */
    bool exact;                                   /* line ends as they are */
};

enum status composer_init(struct composer *m) MUST_CHECK;
void composer_free(struct composer *m);

/* In the open transaction, or with an envelope of its own (from, to: "" or NULL leave what is
   there). */
void composer_open(struct app *a, bool own_envelope, const char *from, const char *to);
/* The text of the message is this; for pasted lines. */
bool composer_take(struct app *a, const char *p, size_t len);
void composer_key(struct app *a, struct dialog *d, uint32_t key);
bool composer_quotes(struct app *a); /* takes the next key as it is */
void composer_paste(struct app *a, const char *p, size_t len);
void composer_draw(struct app *a, struct dialog *d, struct canvas *c);
/* Keys and buttons of the composer, as text for its help. */
enum status composer_help(struct buf *out) MUST_CHECK;

/* composer_boxes.c: what lies over it. */
void composer_open_envelope(struct app *a);
void composer_open_file(struct app *a, bool attach);
void composer_open_consent(struct app *a);
void press_envelope(struct app *a, struct dialog *d, int pressed);
void press_file(struct app *a, struct dialog *d, int pressed);
void press_post(struct app *a, struct dialog *d, int pressed);
void press_paste(struct app *a, struct dialog *d, int pressed);

/* composer_send.c */
/* Fills the feed and starts it; false with the reason in *error. */
bool composer_send(struct app *a, struct error *error);
/* "SIZE=412 BODY=8BITMIME" of one command, as it goes out. */
enum status composer_params(const struct app *a, enum envelope_command command,
                            struct buf *out) MUST_CHECK;
/* The offer of the server, or NULL with `room` untouched before EHLO. */
const struct caps *composer_caps(const struct app *a, struct caps *room);
/* The message went out and was taken: the next one is written anew. */
void composer_sent(struct app *a);

#endif
