/*
 * boxes: the forms among the dialogs: what each asks, and what pressing its buttons does.
 *
 * Threads: the face's. Ownership: as dialogs.h.
 */
#ifndef SMTPSCOPE_BOXES_H
#define SMTPSCOPE_BOXES_H

#include "dialogs.h"
#include "envelope.h"

/* Fields and buttons of all boxes. */
enum field_id {
    F_DOMAIN,
    F_HOST,
    F_PORT,
    F_TLS,
    F_PURPOSE,
    F_HELO,
    F_SOURCE,
    F_FAMILY,
    F_USER,
    F_PASSWORD,
    F_SHOW,
    F_METHOD,
    F_CLEAR,
    F_MAY,
    F_FROM,
    F_TO,
    F_SUBJECT,
    F_FORMAT,
    F_NAME,
    F_EXISTING,
    B_GO,
    B_GUIDE,
    B_PRACTISE,
    B_TYPE,
    B_NO,
    B_VIEW,
    F_LMTP,
    F_PROXY,
    F_XCLIENT,
    F_WAY,
    F_EXACT,
    B_ATTACH,
    B_PACKET,
    F_PARAM, /* the first of PARAM_COUNT */
    F_PARAM_LAST = F_PARAM + PARAM_COUNT - 1,
    F_NETWORK,
    B_HINT,
    B_KNOW,
    B_SHOW,
    B_NEXT,
    B_LESSONS,
    F_CANDIDATE /* the first of LESSON_CANDIDATES */
};

#define LOGIN_METHODS 8
/* Methods that a person can choose; NULL is the best of what is offered. */
extern const char *const login_methods[LOGIN_METHODS];

/* What a password is exposed to on the connection as it is. */
enum login_risk { LOGIN_SAFE, LOGIN_UNPROVED, LOGIN_CLEAR };
enum login_risk box_login_risk(const struct app *a);

/* A button of the topmost box was pressed. */
void box_press(struct app *a, struct dialog *d, int pressed);
/* The file format that the save box stands at. */
enum report_format box_save_format(struct form *f);
/* The ending of the name follows the format. */
void box_save_rename(struct form *f, enum report_format before);

#endif
