"""Users: who they are is told to anybody who is one."""

from uuid import UUID

from fastapi import APIRouter, HTTPException
from sqlalchemy.exc import IntegrityError

from app.api.deps import ReadingDep, SessionDep, UserDep, there
from app.models import User, UserCreate, UserShown, UserUpdate
from app.services import cached_crud

router = APIRouter(prefix="/api/users", tags=["users"])


@router.post("/", status_code=201, response_model=UserShown)
async def create(new: UserCreate, session: SessionDep) -> User:
    try:
        user = await cached_crud.create_user(session, new)
        await session.commit()
    except IntegrityError as error:
        await session.rollback()
        raise HTTPException(409, "this email is taken") from error
    return user


@router.get("/")
async def find(email: str, session: ReadingDep, user: UserDep) -> UserShown:
    return there("user", await cached_crud.get_user_by_email(session, email))


@router.get("/{user_id}")
async def show(user_id: UUID, session: ReadingDep, user: UserDep) -> UserShown:
    return there("user", await cached_crud.get_user(session, user_id))


@router.patch("/me", response_model=UserShown)
async def change(changes: UserUpdate, session: SessionDep, user: UserDep) -> User:
    try:
        changed = there("user", await cached_crud.update_user(session, user.id, changes))
        await session.commit()
    except IntegrityError as error:
        await session.rollback()
        raise HTTPException(409, "this email is taken") from error
    return changed
