#include "practice_ocsp.h"

#include <openssl/ocsp.h>

#define DAY_S INT64_C(86400)

int practice_ocsp_revoked(X509 *cert, X509 *issuer, EVP_PKEY *issuer_key, int64_t now_s,
                          unsigned char **der)
{
    ASN1_TIME *revoked = ASN1_GENERALIZEDTIME_set(NULL, (time_t)(now_s - 2 * DAY_S));
    ASN1_TIME *from = ASN1_GENERALIZEDTIME_set(NULL, (time_t)(now_s - DAY_S));
    ASN1_TIME *until = ASN1_GENERALIZEDTIME_set(NULL, (time_t)(now_s + 6 * DAY_S));
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(NULL, cert, issuer);
    OCSP_RESPONSE *response = NULL;
    int len = 0;
    *der = NULL;
    if (revoked == NULL || from == NULL || until == NULL || basic == NULL || id == NULL) {
        goto out;
    }
    if (OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_REVOKED,
                               OCSP_REVOKED_STATUS_KEYCOMPROMISE, revoked, from, until) == NULL ||
        OCSP_basic_sign(basic, issuer, issuer_key, EVP_sha256(), NULL, 0) != 1) {
        goto out;
    }
    response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    len = response != NULL ? i2d_OCSP_RESPONSE(response, der) : 0;
out:
    OCSP_RESPONSE_free(response);
    OCSP_CERTID_free(id);
    OCSP_BASICRESP_free(basic);
    ASN1_TIME_free(until);
    ASN1_TIME_free(from);
    ASN1_TIME_free(revoked);
    return len > 0 ? len : 0;
}
