"""Errors of a request, as exceptions with their HTTP status."""

from http import HTTPStatus


class ApiError(Exception):
    """A request that cannot be served; the message is sent to the client."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR


class BadRequestError(ApiError):
    """The request is invalid."""

    status = HTTPStatus.BAD_REQUEST


class NotFoundError(ApiError):
    """The requested object does not exist."""

    status = HTTPStatus.NOT_FOUND


class ConflictError(ApiError):
    """It conflicts with stored data."""

    status = HTTPStatus.CONFLICT


class UnavailableError(ApiError):
    """A dependency of the service is down; the message says which and why."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
