"""The addresses of sign-in, joining and the account page."""

from __future__ import annotations

from django.urls import path

from parcelward.doors.portals.accounts import join, security, sign_in

urlpatterns = [
    path("accounts/sign-in", sign_in.sign_in, name="account_login"),
    path("accounts/sign-in/passkey/options", sign_in.passkey_options, name="passkey_options"),
    path("accounts/sign-in/passkey", sign_in.with_passkey, name="with_passkey"),
    path("accounts/sign-out", sign_in.sign_out, name="sign_out"),
    path("accounts/join", join.join, name="join"),
    path("accounts/join/passkey", join.finish, name="join_finish"),
    path("app/account", security.account, name="account"),
    path("app/account/prove", security.prove, name="prove_again"),
    path("app/account/prove/options", security.prove_options, name="prove_options"),
    path("app/account/passkeys/add", security.add_passkey, name="add_passkey"),
    path("app/account/passkeys/<int:passkey_id>/rename", security.rename_passkey, name="rename_passkey"),
    path("app/account/passkeys/<int:passkey_id>/remove", security.remove_passkey, name="remove_passkey"),
    path("app/account/sessions/<uuid:session_id>/end", security.end_session, name="end_session"),
    path("app/account/sessions/end-others", security.end_others, name="end_other_sessions"),
    path("app/account/act", security.act, name="act_for"),
]
