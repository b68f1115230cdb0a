/*
 * composer_parts: what the files of the composer share.
 *
 * Threads and ownership: as in composer.h.
 */
#ifndef SMTPSCOPE_COMPOSER_PARTS_H
#define SMTPSCOPE_COMPOSER_PARTS_H

#include "composer.h"

enum composer_button {
    BUTTON_SEND,
    BUTTON_ENVELOPE,
    BUTTON_LOAD,
    BUTTON_ATTACH,
    BUTTON_GTUBE,
    BUTTON_EICAR,
    BUTTON_WIRE,
    BUTTON_LEAVE,
    COMPOSER_BUTTONS
};
extern const char *const composer_buttons[COMPOSER_BUTTONS]; /* translated by _() */

bool composer_attach(struct app *a, const char *name, const char *p, size_t len);

#endif
