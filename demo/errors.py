"""What can go wrong with a request, as exceptions that know their HTTP status."""

from http import HTTPStatus


class ApiError(Exception):
    """A request that cannot be served; the message is the client's to read."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR


class BadRequestError(ApiError):
    """The request itself is wrong."""

    status = HTTPStatus.BAD_REQUEST


class NotFoundError(ApiError):
    """What the request is about does not exist."""

    status = HTTPStatus.NOT_FOUND


class ConflictError(ApiError):
    """It contradicts what is stored already."""

    status = HTTPStatus.CONFLICT


class UnavailableError(ApiError):
    """Something that the service needs is away; the message says what and why."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
