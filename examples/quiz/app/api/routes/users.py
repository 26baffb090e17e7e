"""Users: who they are is told to anybody who is one."""

from uuid import UUID

from fastapi import APIRouter, HTTPException
from sqlalchemy.exc import IntegrityError

from app.api.deps import ReadingDep, SessionDep, UserDep
from app.models import User, UserCreate, UserUpdate
from app.services import cached_crud

router = APIRouter(prefix="/api/users", tags=["users"])


@router.post("/", status_code=201)
async def create(new: UserCreate, session: SessionDep) -> User:
    try:
        user = await cached_crud.create_user(session, new)
        await session.commit()
    except IntegrityError as error:
        await session.rollback()
        raise HTTPException(409, "this email is taken") from error
    return user


@router.get("/")
async def find(email: str, session: ReadingDep, user: UserDep) -> User:
    return there(await cached_crud.get_user_by_email(session, email))


@router.get("/{user_id}")
async def show(user_id: UUID, session: ReadingDep, user: UserDep) -> User:
    return there(await cached_crud.get_user(session, user_id))


@router.patch("/me")
async def change(changes: UserUpdate, session: SessionDep, user: UserDep) -> User:
    try:
        changed = there(await cached_crud.update_user(session, user.id, changes))
        await session.commit()
    except IntegrityError as error:
        await session.rollback()
        raise HTTPException(409, "this email is taken") from error
    return changed


def there(user: User | None) -> User:
    if user is None:
        raise HTTPException(404, "there is no such user")
    return user
